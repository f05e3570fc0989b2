//! How many streams the peer allows at a time.
//!
//! h2 would queue what is more, and send each stream of its queue in the end, those of callers who have left, too: opened
//! and reset in one breath. A call that waits here has not touched the connection.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Nothing where the peer sets no limit.
pub(super) struct Places(Option<Arc<Semaphore>>);

/// One stream's place; free again when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// The connection has ended.
pub(super) struct Closed;

impl Places {
    pub(super) fn new(most: usize) -> Self {
        // A peer that allows none yet will allow some later: these are left to h2's queue.
        Self((1..Semaphore::MAX_PERMITS).contains(&most).then(|| Arc::new(Semaphore::new(most))))
    }

    pub(super) async fn enter(&self) -> Result<Option<Place>, Closed> {
        let Some(places) = &self.0 else { return Ok(None) };
        Arc::clone(places).acquire_owned().await.map(Some).map_err(|_| Closed)
    }

    /// Sends away whoever waits.
    pub(super) fn close(&self) {
        if let Some(places) = &self.0 {
            places.close();
        }
    }
}
