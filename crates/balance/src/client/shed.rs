//! Refuses calls that would only queue, at once and with advice on when to come again.

use std::sync::Arc;
use std::time::Duration;

use crm_shares::Refused;
use http::Response;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::limit::Limit;
use super::refusal::{self, refuse_for_now};
use super::stage::{Call, Stage};
use super::tracker::early_code;
use crate::Upstream;
use crate::settings::ShedSettings;

/// Refused callers are asked to stay away for this long, and up to as long again, so that they do not return together.
const PUSHBACK: Duration = Duration::from_millis(100);

pub(super) struct Shed<S> {
    inner: S,
    limit: Arc<Limit>,
    upstream: Upstream,
}

impl<S> Shed<S> {
    pub(super) fn new(inner: S, upstream: Upstream, settings: ShedSettings) -> Self {
        let limit = Arc::new(Limit::new(settings));
        let mut limits = upstream.shared.limits.lock();
        limits.retain(|limit| limit.strong_count() > 0);
        limits.push(Arc::downgrade(&limit));
        drop(limits);
        Self { inner, limit, upstream }
    }

    fn refusal(&self, bulk: bool, refused: Refused) -> Status {
        let shared = &self.upstream.shared;
        if bulk { &shared.counters.shed_bulk } else { &shared.counters.shed_interactive }.add();
        let (reason, whose) = match refused {
            Refused::Full => (refusal::OVERLOADED, ""),
            Refused::Share => (refusal::SHARE_TAKEN, " for one tenant; others find room"),
        };
        let message = format!("too many calls to {} are in flight{whose}", shared.name);
        let after = PUSHBACK.mul_f64(1.0 + shared.dice.unit());
        refuse_for_now(reason, message, after)
    }
}

impl<S: Stage> Stage for Shed<S> {
    type Body = S::Body;

    async fn call(&self, call: &mut Call) -> Result<Response<S::Body>, Status> {
        // It would fill the limit with nothing that is worked on.
        if call.facts.waits {
            return self.inner.call(call).await;
        }
        let bulk = call.facts.bulk;
        let place = self.limit.enter(bulk, call.facts.holder).map_err(|refused| self.refusal(bulk, refused))?;
        let mut watch =
            Watch { limit: &self.limit, started: call.facts.started, deadline: call.facts.deadline, ended: false };
        let result = self.inner.call(call).await;
        // A stream holds its place until its headers only: how long it is read is up to its reader.
        drop(place);
        // An error that comes at once says nothing about queues.
        watch.end(result.as_ref().is_ok_and(|response| early_code(response).is_none_or(|code| code == Code::Ok)));
        result
    }
}

/// Samples the call's latency; a call that is cut off by its deadline is a sample, too.
struct Watch<'a> {
    limit: &'a Limit,
    started: Instant,
    deadline: Instant,
    ended: bool,
}

impl Watch<'_> {
    fn end(&mut self, was_answered: bool) {
        self.ended = true;
        if was_answered {
            let now = Instant::now();
            self.limit.sample(now.saturating_duration_since(self.started), now);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        if !self.ended && now >= self.deadline {
            self.limit.sample_cut(now.saturating_duration_since(self.started), now);
        }
    }
}
