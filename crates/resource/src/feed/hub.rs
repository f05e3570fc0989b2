//! One reader for all who watch the same tenant, and one look at the journal for all who wait.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crm_telemetry::tasks::guarded;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use uuid::Uuid;

use super::shelf::{Shelf, Step};
use super::source::Source;
use super::wakes::{Wake, Wakes};
use super::{LOOK_EVERY, PAUSE};
use crate::Error;
use crate::journal::{Cursor, Horizon};

/// A reader that fails so often, a second apart, lets its watchers see for themselves why.
const MOST_FAILURES: u32 = 5;

/// The readers of one process.
#[derive(Debug)]
pub(super) struct Hub<S> {
    pub(super) source: S,
    wakes: Wakes,
    rooms: Mutex<HashMap<Uuid, Weak<Room>>>,
}

/// Those who watch one tenant: its reader lives as long as anybody is here.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) shelf: Arc<Shelf>,
    reader: AbortHandle,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl<S: Source> Hub<S> {
    pub(super) fn new(source: S, wakes: Wakes) -> Self {
        Self { source, wakes, rooms: Mutex::default() }
    }

    /// The tenant's room, and whether it was made for this cursor: then its first step begins there.
    pub(super) fn enter(&self, tenant: Uuid, cursor: &Cursor) -> (Arc<Room>, bool) {
        let mut rooms = self.rooms.lock();
        let room = rooms.get(&tenant).and_then(Weak::upgrade).filter(|room| !room.shelf.is_closed());
        if let Some(room) = room {
            return (room, false);
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let shelf = Arc::<Shelf>::default();
        let reader = Reader { source: self.source.clone(), tenant, cursor: cursor.clone(), shelf: Arc::clone(&shelf) };
        let reader = tokio::spawn(guarded("watch.read", reader.read_on(self.wakes.of(tenant)))).abort_handle();
        let room = Arc::new(Room { shelf, reader });
        rooms.insert(tenant, Arc::downgrade(&room));
        (room, true)
    }

    /// Wakes whose tenants have changes of which nobody told: Redis was away, or a process died between its commit and that.
    pub(super) async fn look_for_ever(hub: Weak<Self>) {
        let mut horizon = None;
        loop {
            // No two replicas in step.
            sleep(LOOK_EVERY.mul_f64(rand::random_range(0.8..1.2))).await;
            let Some(hub) = hub.upgrade() else { return };
            horizon = match horizon {
                // Nobody waits, so nobody misses anything.
                _ if !hub.wakes.is_waited_for() => None,
                Some(horizon) => Some(hub.look(&horizon).await.unwrap_or(horizon)),
                None => hub.source.horizon().await.inspect(|_| hub.wakes.wake_all()).ok(),
            };
        }
    }

    async fn look(&self, horizon: &Horizon) -> Result<Horizon, Error> {
        let (tenants, next) = self.source.changed(horizon).await?;
        tenants.into_iter().for_each(|tenant| self.wakes.wake(tenant));
        Ok(next)
    }
}

/// Reads a tenant's changes as they are made.
struct Reader<S> {
    source: S,
    tenant: Uuid,
    cursor: Cursor,
    shelf: Arc<Shelf>,
}

/// However it ends: nobody waits for what comes no more.
impl<S> Drop for Reader<S> {
    fn drop(&mut self) {
        self.shelf.close();
    }
}

impl<S: Source> Reader<S> {
    async fn read_on(mut self, wake: Wake) {
        let mut failures = 0;
        while failures < MOST_FAILURES {
            match self.step().await {
                Ok(true) => {
                    failures = 0;
                    wake.woken().await;
                }
                Ok(false) => failures = 0,
                // It will not pass: the cursor has expired.
                Err(Error::Refused(_)) => return,
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "changes could not be read");
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Whether there was nothing beyond it.
    async fn step(&mut self) -> Result<bool, Error> {
        let read = self.source.read(self.tenant, &self.cursor).await?;
        if !read.changes.is_empty() {
            let text = self.source.text(self.tenant, &read.cursor)?;
            self.shelf.put(Step { changes: read.changes, cursor: read.cursor.clone(), text, bytes: read.bytes });
            sleep(PAUSE).await;
        }
        self.cursor = read.cursor;
        Ok(read.is_last)
    }
}
