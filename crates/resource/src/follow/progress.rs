//! What a follower has been told and has done: shared by who listens, by the turns, and by who asks how far it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::Follower;
use super::pending::{End, Pending};

/// The progress of one follower in this process.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) follower: &'static Follower,
    state: Mutex<State>,
    /// There is something new to do.
    pub(super) news: Notify,
}

#[derive(Debug)]
struct State {
    pending: Pending,
    /// Since when the source has said nothing; none while it is listened to.
    deaf: Option<SystemTime>,
}

impl Progress {
    pub(super) fn new(follower: &'static Follower) -> Arc<Self> {
        let state = State { pending: Pending::default(), deaf: Some(SystemTime::now()) };
        Arc::new(Self { follower, state: Mutex::new(state), news: Notify::new() })
    }

    /// The source has said who has something new.
    pub(super) fn hear(&self, tenants: impl IntoIterator<Item = Uuid>, horizon: String) {
        let mut state = self.state();
        state.deaf = None;
        state.pending.tell(tenants, horizon, (Instant::now(), SystemTime::now()));
        self.news.notify_one();
    }

    /// The source cannot be heard from now on.
    pub(super) fn be_deaf(&self) {
        self.state().deaf.get_or_insert_with(SystemTime::now);
    }

    pub(super) fn found(&self, tenant: Uuid, oldest: SystemTime) {
        self.state().pending.found(tenant, oldest);
    }

    pub(super) fn take(&self) -> Option<(Uuid, bool)> {
        self.state().pending.take(Instant::now())
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.state().pending.next_due()
    }

    pub(super) fn end(&self, tenant: Uuid, end: End) {
        self.state().pending.end(tenant, end, Instant::now());
    }

    pub(super) fn settled(&self) -> Option<String> {
        self.state().pending.settled()
    }

    /// How old the oldest change is that has not been followed, as far as is known: a source that cannot be heard may have
    /// some since.
    pub(super) fn lag(&self) -> Duration {
        let (state, now) = (self.state(), SystemTime::now());
        let deaf = state.deaf.and_then(|since| now.duration_since(since).ok()).unwrap_or_default();
        state.pending.lag(now).max(deaf)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
