//! Who waits for the end of an operation.
//!
//! All of a process who wait for the same one stand in one room, and are woken by its end, if it ends here. It may end in
//! another process: one of all those who wait, whatever for, looks once a second, by one statement. So who waits costs
//! nothing while nothing happens.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crm_proto::operations as pb;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::unseen::unseen;
use crate::{Call, Error, Store};

/// How often it is looked for what has ended elsewhere; and for how long what was read of an operation is good enough for
/// those who are told that it has not ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

type Key = (Uuid, Uuid);

/// Of one process.
#[derive(Debug)]
pub(super) struct Waits {
    rooms: Mutex<HashMap<Key, Weak<Room>>>,
    /// When it was looked last; held by the one who looks.
    looked: AsyncMutex<Instant>,
}

/// Those who wait for one operation.
#[derive(Debug)]
pub(super) struct Room {
    id: Uuid,
    has_ended: watch::Sender<bool>,
    /// What was read last, and when.
    last: AsyncMutex<Option<(Instant, pb::Operation)>>,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self { rooms: Mutex::default(), looked: AsyncMutex::new(Instant::now()) }
    }

    /// The room of an operation. What ends from now on is noticed there.
    pub(super) fn enter(&self, tenant: Uuid, id: Uuid) -> Arc<Room> {
        let mut rooms = self.rooms.lock();
        if let Some(room) = rooms.get(&(tenant, id)).and_then(Weak::upgrade) {
            return room;
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let room = Arc::new(Room { id, has_ended: watch::Sender::new(false), last: AsyncMutex::default() });
        rooms.insert((tenant, id), Arc::downgrade(&room));
        room
    }

    /// An operation has ended.
    pub(super) fn end(&self, tenant: Uuid, id: Uuid) {
        let room = self.rooms.lock().get(&(tenant, id)).and_then(Weak::upgrade);
        if let Some(room) = room {
            room.has_ended.send_replace(true);
        }
    }

    /// What is waited for.
    fn keys(&self) -> (Vec<Uuid>, Vec<Uuid>) {
        let rooms = self.rooms.lock();
        rooms.iter().filter(|(_, room)| room.strong_count() > 0).map(|(key, _)| *key).unzip()
    }
}

impl Room {
    /// Until the operation has ended.
    pub(super) async fn ended(&self) {
        // Never closed while this is borrowed.
        let _ = self.has_ended.subscribe().wait_for(|has_ended| *has_ended).await;
    }

    /// The operation as it is, or as it was a moment ago if somebody here has asked then and nobody knows better.
    pub(super) async fn read(&self, store: &Store, call: &Call) -> Result<pb::Operation, Error> {
        let mut last = self.last.lock().await;
        if let Some((read, operation)) = &*last
            && (operation.done || (read.elapsed() < LOOK_EVERY && !*self.has_ended.borrow()))
        {
            return Ok(operation.clone());
        }
        let now = Instant::now();
        let operation = store.read_operation(call, self.id).await?;
        *last = Some((now, operation.clone()));
        Ok(operation)
    }
}

impl Store {
    /// Looks for all who wait, for as long as whoever does it waits himself; whoever else wants to stands by.
    pub(super) async fn look_for_ends(&self) {
        let waits = &self.operations.waits;
        let mut looked = waits.looked.lock().await;
        loop {
            sleep_until(*looked + LOOK_EVERY).await;
            *looked = Instant::now();
            match unseen(self.ended_of(waits.keys())).await {
                Ok(ended) => ended.into_iter().for_each(|(tenant, id)| waits.end(tenant, id)),
                // Who has waited long enough reads by himself, and sees why.
                Err(error) => tracing::debug!(%error, "it cannot be seen which operations have ended"),
            }
        }
    }

    async fn ended_of(&self, (tenants, ids): (Vec<Uuid>, Vec<Uuid>)) -> Result<Vec<Key>, crm_database::Error> {
        let query = sqlx::query(self.operations.statements.ended.clone()).bind(tenants).bind(ids);
        let mut transaction = self.database.begin_read(Uuid::nil(), None).await?;
        let ended = transaction.fetch_all("ended_operations", query).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn an_end_is_told_to_those_who_wait_for_it_and_to_nobody_else() {
        let (waits, acme, other) = (Waits::new(), Uuid::from_u128(1), Uuid::from_u128(2));
        let (id, another) = (Uuid::from_u128(3), Uuid::from_u128(4));
        let room = waits.enter(acme, id);
        assert!(Arc::ptr_eq(&room, &waits.enter(acme, id)));
        let others = [waits.enter(acme, another), waits.enter(other, id)];
        assert_eq!(waits.keys().0.len(), 3);
        waits.end(acme, id);
        // Whoever looks later still sees it.
        assert!(room.ended().now_or_never().is_some() && room.ended().now_or_never().is_some());
        assert!(others.iter().all(|room| room.ended().now_or_never().is_none()));
        drop((room, others));
        assert!(waits.keys().0.is_empty());
        assert!(waits.enter(acme, id).ended().now_or_never().is_none());
    }
}
