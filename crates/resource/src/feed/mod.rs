//! Changes as their readers get them: asked for, or streamed as they are made.

mod asked;
mod list;
mod tenants;
mod watch;

use std::time::Duration;

use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{Service, Store};

/// What a client reads.
pub type Watch<M> = ReceiverStream<Result<M, Status>>;

/// How long a watch is silent at most: shorter than anything between here and a reader takes for a dead connection.
const HEART_BEAT: Duration = Duration::from_secs(15);
/// How often one who waits looks by himself.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The changes of all records of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    service: &'static Service,
}

impl Feed {
    /// Of what this service has in its store.
    pub fn new(store: &Store, service: &'static Service) -> Self {
        Self { store: store.clone(), service }
    }
}
