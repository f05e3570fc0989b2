//! An upstream: the endpoints of one service, and the handle to them.

mod builder;
mod counters;
mod keeper;
mod metrics;
mod roster;
mod shared;
mod table;
mod view;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crm_telemetry::tasks::lasting;
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use builder::Builder;
pub(crate) use shared::Shared;
pub(crate) use table::{Chosen, Errand};

use crate::discovery::{self, Discovery, Endpoint};
use crate::picker::Ask;
use crate::policy::Policy;
use crate::snapshot::{CallsSnapshot, Event, ReplicaSnapshot};

/// A call that finds nobody waits this long for a connection that is just being made again: less than a caller notices,
/// and enough for a lone endpoint that renews its connection.
const RECONNECT_WAIT: Duration = Duration::from_millis(8);

/// The endpoints of one service: discovered, connected, watched and chosen from.
///
/// A cheap handle; when the last one (those inside clients included) is dropped, its tasks end and its connections close.
#[derive(Clone)]
pub struct Upstream {
    pub(crate) shared: Arc<Shared>,
    _tasks: Arc<DropGuard>,
}

impl Upstream {
    /// Starts to describe an upstream; `name` stands in metrics, spans and errors.
    pub fn builder(name: impl Into<String>, discovery: Discovery) -> Builder {
        Builder::new(name.into(), discovery)
    }

    fn start(builder: Builder) -> Self {
        let (discovery, resolver) = (builder.discovery.clone(), Arc::clone(&builder.resolver));
        let shared = Arc::new(Shared::new(builder));
        let ended = CancellationToken::new();
        metrics::observe(&shared);
        match discovery {
            Discovery::Static(endpoints) => take_in(&shared, &ended, &endpoints),
            Discovery::Dns { host, port, every } => {
                let (shared, ended) = (Arc::clone(&shared), ended.clone());
                tokio::spawn(async move {
                    let follow = || {
                        discovery::follow(&*resolver, &host, port, every, |endpoints| {
                            if !endpoints.is_empty() {
                                take_in(&shared, &ended, &endpoints);
                            }
                        })
                    };
                    tokio::select! { () = lasting("discovery", follow) => {}, () = ended.cancelled() => {} }
                });
            }
        }
        Self { shared, _tasks: Arc::new(ended.drop_guard()) }
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The policy that chooses now.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.shared.table.load().policy
    }

    /// Lets another policy choose from the next pick on. Calls under way are not touched.
    pub fn set_policy(&self, policy: Policy) {
        self.shared.set_policy(policy);
    }

    /// Every endpoint at this moment, by ordinal.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaSnapshot> {
        view::replicas(&self.shared)
    }

    /// How its calls fare, as their callers see it.
    #[must_use]
    pub fn calls(&self) -> CallsSnapshot {
        view::calls(&self.shared)
    }

    /// Whether calls are spread over all connected endpoints because too few are healthy.
    #[must_use]
    pub fn is_panicking(&self) -> bool {
        self.shared.table.load().panic
    }

    /// What happens from now on. A receiver that lags loses the oldest events, never delays a call.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Chooses an endpoint. Fails at once if there is none, save in the moments when one is about to be there.
    pub(crate) async fn choose(&self, ask: &Ask<'_>) -> Option<Chosen> {
        match self.choose_now(ask) {
            Some(chosen) => Some(chosen),
            None => self.choose_soon(ask).await,
        }
    }

    fn choose_now(&self, ask: &Ask<'_>) -> Option<Chosen> {
        self.shared.table.load().choose(ask, &self.shared.dice)
    }

    async fn choose_soon(&self, ask: &Ask<'_>) -> Option<Chosen> {
        let mut version = self.shared.version.subscribe();
        let latest = self.hope_until(ask.now)?;
        loop {
            version.borrow_and_update();
            let chosen = self.choose_now(ask);
            if chosen.is_some() || self.hope_until(ask.now).is_none() {
                return chosen;
            }
            timeout_at(latest, version.changed()).await.ok()?.ok()?;
        }
    }

    /// Until when a call that found nobody may wait.
    fn hope_until(&self, now: Instant) -> Option<Instant> {
        if !self.shared.started.load(Ordering::Acquire) {
            return Some(self.shared.epoch + self.shared.start_wait).filter(|until| *until > now);
        }
        self.shared.table.load().has_hope().then(|| now + RECONNECT_WAIT)
    }
}

/// Starts the tasks of endpoints that are new.
fn take_in(shared: &Arc<Shared>, ended: &CancellationToken, endpoints: &[Endpoint]) {
    for (replica, removed) in shared.discovered(endpoints) {
        let (shared, ended) = (Arc::clone(shared), ended.clone());
        tokio::spawn(lasting("replica.keep", move || {
            keeper::keep(Arc::clone(&shared), Arc::clone(&replica), removed.clone(), ended.clone())
        }));
    }
}
