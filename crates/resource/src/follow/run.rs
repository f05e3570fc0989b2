//! A follower's work in one replica.

use std::sync::Arc;
use std::time::Duration;

use crm_server::token::ServiceSigner;
use crm_telemetry::tasks::{guarded, lasting};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::cursors::Cursors;
use super::listen::Listener;
use super::pending::End;
use super::progress::Progress;
use super::source::Source;
use super::turn::Turns;
use super::{Follower, metrics};
use crate::Store;

/// Tenants that are followed side by side: each holds a connection while its effects are made.
const SIDE_BY_SIDE: usize = 3;
/// How often it is kept of which tenants all is done.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// For who has nothing to wait for.
const IDLE: Duration = Duration::from_secs(60);

/// Follows for as long as the process lives. Dropped, all of it ends, wherever it is.
pub(crate) async fn follow(store: Store, signer: ServiceSigner, follower: &'static Follower) {
    let progress = Progress::new(follower);
    metrics::observe(&progress);
    let cursors = Arc::new(Cursors::new(&store.schema, follower.name));
    let source = Source::new(&store, &signer, follower);
    let mut running = JoinSet::new();
    let listener = Listener {
        store: store.clone(),
        cursors: Arc::clone(&cursors),
        source: source.clone(),
        progress: Arc::clone(&progress),
    };
    running.spawn(lasting("follower.listen", move || {
        // Of whatever was said meanwhile nothing was heard.
        listener.progress.be_deaf();
        listener.clone().listen_for_ever()
    }));
    let effects = (follower.effects)(&store);
    let turns = Turns { store, signer, cursors, source, effects, progress };
    turns.run(running).await;
}

impl Turns {
    /// `running` has the listener, which never ends.
    async fn run(&self, mut running: JoinSet<()>) {
        let mut kept = Instant::now();
        let mut settled = None;
        loop {
            while running.len() <= SIDE_BY_SIDE
                && let Some((tenant, is_careful)) = self.progress.take()
            {
                let turns = self.clone();
                running.spawn(async move {
                    // A turn that panics is one that failed: the tenant's next one comes later, and is careful.
                    let end = guarded("follower.turn", turns.take(tenant, is_careful)).await;
                    turns.progress.end(tenant, end.unwrap_or(End::Failed));
                });
            }
            settled = self.progress.settled().or(settled);
            if settled.is_some() && kept.elapsed() >= KEEP_EVERY {
                kept = Instant::now();
                self.keep_horizon(settled.take()).await;
            }
            let next = if running.len() <= SIDE_BY_SIDE { self.progress.next_due() } else { None };
            let next = next.unwrap_or_else(|| Instant::now() + IDLE);
            let next = if settled.is_some() { next.min(kept + KEEP_EVERY) } else { next };
            tokio::select! {
                _ = running.join_next() => {}
                () = self.progress.news.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    async fn keep_horizon(&self, horizon: Option<String>) {
        let Some(horizon) = horizon else { return };
        if let Err(error) = self.cursors.keep_horizon(&self.store, &horizon).await {
            // The next one does as well.
            tracing::debug!(follower = self.progress.follower.name, %error, "a horizon was not kept");
        }
    }
}
