//! One attempt: choose an endpoint, put a span and a load tracker around it, send.

use std::sync::Arc;

use crm_telemetry::rpc;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version, header};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};

use super::refusal::{self, refuse};
use super::replay::Debt;
use super::stage::Facts;
use super::tracker::{Tracked, Tracker};
use crate::Upstream;
use crate::connection::{SendError, SendErrorKind};
use crate::picker::Ask;
use crate::replica::Replica;
use crate::upstream::Errand;

/// HTTP/2 refuses a request that has one of them, `host` aside.
const CONNECTION_HEADERS: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

pub(super) struct Attempts {
    upstream: Upstream,
}

/// Why an attempt gave no response; with the endpoint it went to.
pub(super) enum Failure {
    /// There was none.
    NoEndpoint,
    /// It was certainly not processed.
    Unprocessed(u32),
    /// The connection broke.
    Lost(u32),
    /// No headers within the attempt's time.
    Slow(u32),
    /// The endpoint reset it; whether on an errand for the upstream.
    Reset { replica: u32, code: Code, on_errand: bool },
    /// The caller broke off its request.
    Abandoned,
}

/// One of a call's attempts.
pub(super) struct Try<'a> {
    /// From 1.
    pub(super) number: u32,
    /// Endpoints that were tried before.
    pub(super) avoid: &'a [u32],
    /// Until when it may wait for headers.
    pub(super) give_up: Instant,
    /// Whether another would follow its failure.
    pub(super) may_fail: bool,
    /// What its caller still owes of the request.
    pub(super) debt: Option<Arc<Debt>>,
}

impl Failure {
    fn of(replica: u32, error: &SendError, on_errand: bool) -> Self {
        match error.kind {
            SendErrorKind::NotSent | SendErrorKind::Refused => Self::Unprocessed(replica),
            SendErrorKind::Lost => Self::Lost(replica),
            SendErrorKind::Reset(code) => Self::Reset { replica, code, on_errand },
            SendErrorKind::Abandoned => Self::Abandoned,
        }
    }

    pub(super) const fn replica(&self) -> Option<u32> {
        match self {
            Self::NoEndpoint | Self::Abandoned => None,
            Self::Unprocessed(replica) | Self::Lost(replica) | Self::Slow(replica) | Self::Reset { replica, .. } => {
                Some(*replica)
            }
        }
    }

    pub(super) fn into_status(self, upstream: &str) -> Status {
        let unavailable = |reason, message| refuse(Code::Unavailable, reason, message);
        match self {
            Self::NoEndpoint => unavailable(refusal::NO_REPLICA, format!("no replica of {upstream} is available")),
            Self::Unprocessed(replica) => {
                unavailable(refusal::NOT_SENT, format!("replica {replica} of {upstream} closed its connection"))
            }
            Self::Lost(replica) => {
                unavailable(refusal::CONNECTION_LOST, format!("connection to replica {replica} of {upstream} was lost"))
            }
            Self::Slow(replica) => {
                let message = format!("replica {replica} of {upstream} did not answer in time");
                refuse(Code::DeadlineExceeded, refusal::ATTEMPT_TIMEOUT, message)
            }
            Self::Abandoned => Status::cancelled("the caller broke off its request"),
            Self::Reset { replica, code, .. } => {
                refuse(code, refusal::CALL_RESET, format!("replica {replica} of {upstream} reset the call"))
            }
        }
    }
}

impl Attempts {
    pub(super) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    pub(super) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Sends the request to an endpoint that was not tried before, and waits for its headers.
    pub(super) async fn run(
        &self,
        mut request: Request<Body>,
        facts: &Facts,
        attempt: Try<'_>,
    ) -> Result<Response<Tracked>, Failure> {
        let ask = Ask { now: Instant::now(), key: facts.key, avoid: attempt.avoid, may_fail: attempt.may_fail };
        let chosen = self.upstream.choose(&ask).await.ok_or(Failure::NoEndpoint)?;
        let (replica, now) = (&chosen.slot.replica, Instant::now());
        let method = request.uri().path().trim_start_matches('/');
        let span =
            rpc::Attempt::begin(method, self.upstream.name(), &replica.label, chosen.policy.name(), attempt.number);
        address(&mut request, replica);
        rpc::write_timeout(request.headers_mut(), facts.deadline.saturating_duration_since(now));
        span.inject(request.headers_mut());
        let (link, ordinal) = (&chosen.slot.link, replica.ordinal);
        let sending = link.send(request);
        let give_up = attempt.give_up;
        let mut tracker = Tracker::begin(self.upstream.clone(), &chosen, span, now, facts, attempt);
        // The call's own deadline is watched outside: no second timer for it.
        let sent = if give_up < facts.deadline { timeout_at(give_up, sending).await } else { Ok(sending.await) };
        match sent {
            Ok(Ok(response)) => Ok(tracker.track(response)),
            Ok(Err(error)) => {
                tracker.failed(error.kind);
                Err(Failure::of(ordinal, &error, chosen.errand != Errand::Nothing))
            }
            Err(_) => Err(Failure::Slow(ordinal)),
        }
    }
}

/// Directs the request to the endpoint, in the form that HTTP/2 and gRPC demand.
fn address(request: &mut Request<Body>, replica: &Replica) {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = replica.authority.clone();
    parts.path_and_query = request.uri().path_and_query().cloned().or_else(|| Some(PathAndQuery::from_static("/")));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    // These speak of the connection that the request came in by.
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
}
