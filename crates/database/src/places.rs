//! Places in the pool, one for each connection, shared by tenant.
//!
//! A tenant holds no more than it leaves to others (`crm-shares`). Whatever else it asks for waits behind its own calls and
//! behind nobody else's: a place that comes free goes to the tenant that holds the fewest, and there to the call that waits
//! longest. Places of connections that still come to rest are held, too, so giving up gains nobody anything.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crm_shares::{Refused, Share, Shares};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::Error;
use crate::error::Diagnostic;

#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Changed only under the queue's lock. So nobody waits who could have one, and who comes later overtakes nobody.
    shares: Shares,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    is_closed: bool,
    next: u64,
    /// Each tenant's calls by their number; no tenant without any.
    waiting: HashMap<u128, BTreeMap<u64, oneshot::Sender<Share>>>,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    share: Option<Share>,
}

/// A place in the pool whose connection is in somebody's hands, or being brought to rest after that.
#[derive(Debug)]
pub(crate) struct Held {
    _place: Place,
    in_use: Arc<AtomicU32>,
}

impl Held {
    pub(crate) fn new(place: Place, in_use: &Arc<AtomicU32>) -> Self {
        in_use.fetch_add(1, Ordering::Relaxed);
        Self { _place: place, in_use: Arc::clone(in_use) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(crate) fn new(total: usize) -> Self {
        Self(Arc::new(Shared { shares: Shares::new(total), queue: Mutex::default() }))
    }

    /// A place, as soon as it is the tenant's turn.
    pub(crate) async fn take(&self, tenant: Uuid) -> Result<Place, Error> {
        let tenant = tenant.as_u128();
        let mut waiting = {
            let mut queue = self.queue();
            if queue.is_closed {
                return Err(closed());
            }
            if let Ok(share) = self.0.shares.take(Some(tenant), 1) {
                return Ok(self.place(share));
            }
            Waiting { places: self, tenant, number: queue.next, turn: queue.enter(tenant) }
        };
        let share = (&mut waiting.turn).await.map_err(|_| closed())?;
        Ok(self.place(share))
    }

    /// Whether it is the tenant's own use that keeps it from another one.
    pub(crate) fn blame(&self, tenant: Uuid) -> Refused {
        self.0.shares.blame(Some(tenant.as_u128()))
    }

    /// From now on nobody gets any.
    pub(crate) fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        queue.waiting.clear();
    }

    fn place(&self, share: Share) -> Place {
        Place { places: self.clone(), share: Some(share) }
    }

    fn give_back(&self, share: Option<Share>) {
        let mut queue = self.queue();
        drop(share);
        while let Some(tenant) = queue.first_in_turn(&self.0.shares) {
            // With more than the first one holds nobody gets one either.
            let Ok(share) = self.0.shares.take(Some(tenant), 1) else { return };
            if let Some(turn) = queue.leave_first(tenant) {
                // It is heard: whoever stops listening leaves the queue before, under the same lock.
                let _ = turn.send(share);
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Every change is made whole before anything could panic.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::Unavailable(Diagnostic::new("the pool is closed"))
}

impl Queue {
    fn enter(&mut self, tenant: u128) -> oneshot::Receiver<Share> {
        let (sender, turn) = oneshot::channel();
        self.waiting.entry(tenant).or_default().insert(self.next, sender);
        self.next += 1;
        turn
    }

    /// The tenant with the fewest; among equals, the one whose call waits longest.
    fn first_in_turn(&self, shares: &Shares) -> Option<u128> {
        let first = |calls: &BTreeMap<u64, _>| calls.first_key_value().map(|(number, _)| *number);
        let turns = self.waiting.iter().map(|(tenant, calls)| (shares.held(Some(*tenant)), first(calls), *tenant));
        turns.min().map(|(_, _, tenant)| tenant)
    }

    fn leave_first(&mut self, tenant: u128) -> Option<oneshot::Sender<Share>> {
        let number = *self.waiting.get(&tenant)?.first_key_value()?.0;
        self.leave(tenant, number)
    }

    fn leave(&mut self, tenant: u128, number: u64) -> Option<oneshot::Sender<Share>> {
        let calls = self.waiting.get_mut(&tenant)?;
        let turn = calls.remove(&number);
        if calls.is_empty() {
            self.waiting.remove(&tenant);
        }
        turn
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.share.take());
    }
}

/// A call in the queue.
struct Waiting<'a> {
    places: &'a Places,
    tenant: u128,
    number: u64,
    turn: oneshot::Receiver<Share>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let was_waiting = self.places.queue().leave(self.tenant, self.number).is_some();
        // Its turn may have come just before it gave up.
        if !was_waiting && let Ok(share) = self.turn.try_recv() {
            self.places.give_back(Some(share));
        }
    }
}

#[cfg(test)]
mod tests;
