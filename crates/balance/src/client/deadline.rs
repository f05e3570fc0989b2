//! One deadline for the whole call: what the caller allows, capped; passed on less what was spent; ours to announce.
//!
//! When it passes, everything behind is dropped, which resets the stream at the endpoint, so that nobody goes on working
//! for a caller who has left.

use std::time::Duration;

use http::Response;
use tokio::time::timeout_at;
use tonic::{Code, Status};

use super::refusal::{self, refuse};
use super::Expires;
use super::stage::{Call, Stage};
use super::timed::Timed;
use super::timeout_header;

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

    async fn call(&self, mut call: Call) -> Result<Response<Self::Body>, Status> {
        let asked = timeout_header::read(call.request.headers()).map_err(|_| malformed())?;
        let deadline = call.facts.started + asked.unwrap_or(self.default).min(self.longest);
        call.facts.deadline = deadline;
        match timeout_at(deadline, self.inner.call(call)).await {
            Ok(result) => result.map(|mut response| {
                response.extensions_mut().insert(Expires(deadline));
                response.map(|body| Timed::new(body, deadline))
            }),
            Err(_) => Err(exceeded()),
        }
    }
}

pub(super) fn exceeded() -> Status {
    refuse(Code::DeadlineExceeded, refusal::DEADLINE, "deadline exceeded")
}

fn malformed() -> Status {
    let message = "grpc-timeout must be at most eight digits followed by one of H, M, S, m, u, n";
    refuse(Code::InvalidArgument, refusal::TIMEOUT_INVALID, message)
}
