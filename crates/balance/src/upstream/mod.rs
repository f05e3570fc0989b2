//! An upstream: the endpoints of one service, and the handle to them.

mod builder;

use std::sync::Arc;

use tokio::sync::broadcast;

pub use builder::Builder;

use crate::discovery::Discovery;
use crate::policy::Policy;
use crate::snapshot::{Event, ReplicaSnapshot};

/// The endpoints of one service: discovered, connected, watched and chosen from.
///
/// A cheap handle; when the last one (those inside clients included) is dropped, its tasks end and its connections close.
#[derive(Clone)]
pub struct Upstream {
    name: Arc<str>,
}

impl Upstream {
    /// Starts to describe an upstream; `name` stands in metrics, spans and errors.
    pub fn builder(name: impl Into<String>, discovery: Discovery) -> Builder {
        Builder::new(name.into(), discovery)
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy that chooses now.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy::default()
    }

    /// Lets another policy choose from the next pick on. Calls under way are not touched.
    pub fn set_policy(&self, _policy: Policy) {}

    /// Every endpoint at this moment, by ordinal.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaSnapshot> {
        Vec::new()
    }

    /// What happens from now on. A receiver that lags loses the oldest events, never delays a call.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        broadcast::channel(1).1
    }
}
