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
use super::refusal::{self, exceeded, refuse};
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

fn malformed(error: MalformedTimeout) -> Status {
    refuse(Code::InvalidArgument, refusal::TIMEOUT_MALFORMED, error.to_string())
}
