//! Changes as their readers get them: asked for, or streamed as they are made.
//!
//! ```text
//! a commit here ─┐
//! one elsewhere, through Redis ─┼─► wakes ─► the tenant's reader ─► shelf ─► watchers that stand there
//! a look every second, once for all ─┘        (one a process)                 those behind read by themselves,
//!                                                                             and come to stand there
//! ```
//!
//! Nobody who waits holds a connection or a snapshot, and nothing is read for a watcher that has not taken the last message.

mod asked;
mod hub;
mod list;
mod metrics;
mod shelf;
mod source;
mod tenants;
#[cfg(test)]
mod tests;
mod wakes;
mod watch;
mod watcher;

use std::sync::Arc;
use std::time::Duration;

use crm_shares::{Refused, Share, Shares, Turn, Turns};
use crm_telemetry::tasks::lasting;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::refusal::{WAITS_BUSY, WAITS_TAKEN, WATCH_ENDED, WATCHES_BUSY, WATCHES_TAKEN};
use crate::{Error, Service, Store, StoreConfig};

pub(crate) use asked::NOW;
use hub::Hub;
pub(crate) use metrics::Open;
pub(crate) use wakes::Wakes;

/// What a client reads.
pub type Watch<M> = ReceiverStream<Result<M, Status>>;

/// How long a watch is silent at most: shorter than anything between here and a reader takes for a dead connection.
const HEART_BEAT: Duration = Duration::from_secs(15);
/// How often those who wait look at the journal, woken or not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two reads of what goes to many: what is committed meanwhile comes together.
const PAUSE: Duration = Duration::from_millis(10);

/// The changes of all records of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    service: &'static Service,
    hub: Arc<Hub<Store>>,
}

impl Feed {
    /// Of what this service has in its store. One a process; must be called inside a tokio runtime.
    pub fn new(store: &Store, service: &'static Service) -> Self {
        let hub = Arc::new(Hub::new(store.clone(), store.wakes.clone()));
        let looking = Arc::downgrade(&hub);
        tokio::spawn(lasting("watch.look", move || Hub::look_for_ever(looking.clone())));
        Self { store: store.clone(), service, hub }
    }
}

/// What bounds the watches of a process and the waits for its operations, and ends them.
#[derive(Debug, Clone)]
pub(crate) struct Watching {
    places: Shares,
    /// Of those who wait for operations.
    waits: Shares,
    /// Of watchers that read by themselves: connections are for others, too.
    readers: Turns,
    pub(crate) end: CancellationToken,
}

impl Watching {
    pub(crate) fn new(config: &StoreConfig) -> Self {
        let readers = Turns::new(config.database_connections as usize / 4);
        let places = || Shares::new(config.watches);
        Self { places: places(), waits: places(), readers, end: CancellationToken::new() }
    }

    /// The turn of a watcher to read by itself: however many of one tenant are behind, those of others have theirs.
    async fn turn(&self, tenant: Uuid) -> Turn {
        self.readers.take(Some(tenant.as_u128())).await
    }

    /// A place for a watch.
    fn place(&self, tenant: Uuid) -> Result<Share, Error> {
        if self.end.is_cancelled() {
            return Err(Error::from(&WATCH_ENDED));
        }
        self.places.take(Some(tenant.as_u128()), 1).map_err(|refused| match refused {
            Refused::Full => Error::from(&WATCHES_BUSY),
            Refused::Share => Error::from(&WATCHES_TAKEN),
        })
    }

    /// A place to wait for an operation.
    pub(crate) fn wait(&self, tenant: Uuid) -> Result<Share, Error> {
        self.waits.take(Some(tenant.as_u128()), 1).map_err(|refused| match refused {
            Refused::Full => Error::from(&WAITS_BUSY),
            Refused::Share => Error::from(&WAITS_TAKEN),
        })
    }
}

/// Where messages are put: room for one, and for how it ended, which needs nobody to have read the one.
fn channel<M>() -> (Outlet<M>, Watch<M>) {
    let (sender, receiver) = mpsc::channel(2);
    let last = sender.clone().try_reserve_owned().ok();
    (Outlet { sender, last }, ReceiverStream::new(receiver))
}

struct Outlet<M> {
    sender: mpsc::Sender<Result<M, Status>>,
    last: Option<mpsc::OwnedPermit<Result<M, Status>>>,
}
