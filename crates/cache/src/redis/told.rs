//! What the log says of Redis: each state once, however many calls meet it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Longer than this without a refusal, and an operation that succeeds is no longer refused. What one key is refused, the
/// next one may not be: without a while of quiet each of the two would be a change.
const QUIET: Duration = Duration::from_secs(10);

/// What has been told.
#[derive(Debug, Default)]
pub(super) struct Told {
    state: Mutex<State>,
    /// Spares the calls of a Redis that refuses nothing the lock.
    refuses: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Since Redis is away, for all the causes that it had in that time.
    away: HashSet<String>,
    /// Since nothing is heard of the writes of others, for all the causes that it had in that time.
    deaf: HashSet<String>,
    /// When it last refused an operation, and why.
    refused: HashMap<(&'static str, String), Instant>,
}

impl Told {
    /// Redis is not used, for this cause.
    pub(super) fn away(&self, cause: &str) {
        if self.state.lock().away.insert(cause.to_owned()) {
            tracing::warn!(cause, "redis is away; going on without it");
        }
    }

    /// Redis is used again, or for the first time.
    pub(super) fn back(&self) {
        let was_away = !std::mem::take(&mut self.state.lock().away).is_empty();
        if was_away {
            tracing::info!("redis is back");
        }
    }

    /// Redis is used, but nothing is heard of the writes of others, for this cause.
    pub(super) fn deaf(&self, cause: &str) {
        if self.state.lock().deaf.insert(cause.to_owned()) {
            tracing::warn!(cause, "redis lets nobody listen; what others write is seen a second later");
        }
    }

    /// The writes of others are heard again, or for the first time.
    pub(super) fn listening(&self) {
        let was_deaf = !std::mem::take(&mut self.state.lock().deaf).is_empty();
        if was_deaf {
            tracing::info!("redis lets listen again");
        }
    }

    /// Redis is used, and refuses this.
    pub(super) fn refused(&self, operation: &'static str, cause: &str) {
        let before = self.state.lock().refused.insert((operation, cause.to_owned()), Instant::now());
        self.refuses.store(true, Ordering::Release);
        if before.is_none() {
            tracing::warn!(operation, cause, "redis refuses a command; going on without its answer");
        }
    }

    /// Redis has done this.
    pub(super) fn done(&self, operation: &'static str) {
        if self.refuses.load(Ordering::Acquire) && self.forget(operation) {
            tracing::info!(operation, "redis takes a command again");
        }
    }

    /// Whether the operation was refused, and has not been for a while.
    fn forget(&self, operation: &'static str) -> bool {
        let refused = &mut self.state.lock().refused;
        let is_over = |last: &Instant| last.elapsed() >= QUIET;
        let of_this = || refused.iter().filter(|((of, _), _)| *of == operation);
        if of_this().count() == 0 || of_this().any(|(_, last)| !is_over(last)) {
            return false;
        }
        refused.retain(|(of, _), _| *of != operation);
        self.refuses.store(!refused.is_empty(), Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn refused(told: &Told) -> Vec<&'static str> {
        let mut all: Vec<_> = told.state.lock().refused.keys().map(|(operation, _)| *operation).collect();
        all.sort_unstable();
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_over_after_a_while_of_quiet() {
        let told = Told::default();
        told.done("get");
        told.refused("get", "NOPERM");
        told.refused("fill", "OOM");
        advance(QUIET / 2).await;
        told.done("get");
        told.refused("get", "WRONGTYPE");
        advance(QUIET / 2).await;
        told.done("get");
        assert_eq!(refused(&told), ["fill", "get", "get"], "one of the two was met a moment ago");
        advance(QUIET / 2).await;
        told.done("get");
        assert_eq!(refused(&told), ["fill"]);
        told.done("fill");
        assert!(refused(&told).is_empty() && !told.refuses.load(Ordering::Acquire));
    }
}
