//! One deadline for the whole call: what the caller allows, capped; passed on less what was spent; ours to announce.
//!
//! When it passes, everything behind is dropped, which resets the stream at the endpoint, so that nobody goes on working
//! for a caller who has left.

use std::time::Duration;

use crm_telemetry::rpc::{self, MalformedTimeout, Timed};
use http::Response;
use tokio::time::timeout_at;
use tonic::{Code, Status};

use super::Expires;
use super::refusal::{self, pass_on, refuse};
use super::stage::{Call, Stage};

/// The body can say so only while somebody reads it; who serves it on must end it where nobody does ([`Expires`]).
pub(super) struct Deadline<S> {
    inner: S,
    default: Duration,
    longest: Duration,
}

impl<S> Deadline<S> {
    pub(super) fn new(inner: S, default: Duration, longest: Duration) -> Self {
        Self { inner, default, longest }
    }
}

impl<S: Stage> Stage for Deadline<S> {
    type Body = Timed<S::Body>;

    async fn call(&self, call: &mut Call) -> Result<Response<Self::Body>, Status> {
        let asked = rpc::read_timeout(call.request.headers()).map_err(malformed)?;
        let given = asked.unwrap_or(self.default).min(self.longest);
        let deadline = call.facts.started + given;
        call.facts.deadline = deadline;
        match timeout_at(deadline, self.inner.call(call)).await {
            Ok(result) => result.map(|mut response| {
                response.extensions_mut().insert(Expires(deadline));
                response.map(|body| Timed::new(body, deadline, given, exceeded))
            }),
            Err(_) => Err(exceeded(given)),
        }
    }
}

/// Says how long the call had: a caller that asked for more than it may have finds out here at the latest.
/// Marked as passed on: who serves the caller is not to blame for what it waited for.
pub(super) fn exceeded(given: Duration) -> Status {
    // What is left of a round number is nearly one; what is left of anything is not said to be nothing.
    let least = u64::from(!given.is_zero());
    let given = Duration::from_millis(u64::try_from((given.as_micros() + 500) / 1000).unwrap_or(u64::MAX).max(least));
    let message = format!("the call took longer than the {given:?} that it had");
    pass_on(refuse(Code::DeadlineExceeded, refusal::DEADLINE, message))
}

fn malformed(error: MalformedTimeout) -> Status {
    refuse(Code::InvalidArgument, refusal::TIMEOUT_MALFORMED, error.to_string())
}
