//! Follows one attempt from its sending to the end of its response, whoever ends it, and tells the endpoint's figures.
//!
//! What an attempt was is known at its trailers. If it is dropped before, it was given up: by its own time, or by its caller.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use crm_telemetry::{names, rpc};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use opentelemetry::metrics::Histogram;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::attempt::Try;
use super::chance::Chance;
use super::refusal::{broken_off, is_passed_on, mark_passed_on, pass_on};
use super::stage::Facts;
use crate::Upstream;
use crate::connection::{Abandoned, SendErrorKind};
use crate::picker::Slot;
use crate::replica::Outcome;
use crate::upstream::{Chosen, Errand};

static DURATION: LazyLock<Histogram<f64>> =
    LazyLock::new(|| crm_telemetry::metrics::histogram(&names::UPSTREAM_ATTEMPT_DURATION));

pub(super) struct Tracker {
    upstream: Upstream,
    slot: Arc<Slot>,
    span: rpc::Attempt,
    errand: Errand,
    started: Instant,
    give_up: Instant,
    awaits_headers: bool,
    /// Its answer comes when something happens: it owes none, and how long it takes tells nothing of its endpoint.
    waits: bool,
    chance: Chance,
    /// Headers came, and more is to follow.
    is_stream: bool,
    has_data: bool,
    is_over: bool,
}

impl Tracker {
    pub(super) fn begin(
        upstream: Upstream,
        chosen: &Chosen,
        span: rpc::Attempt,
        now: Instant,
        facts: &Facts,
        attempt: Try<'_>,
    ) -> Self {
        let slot = Arc::clone(&chosen.slot);
        let waits = facts.waits;
        if waits {
            slot.replica.load.begin_waiting();
        } else {
            slot.replica.load.begin(now);
        }
        let errand = chosen.errand;
        Self {
            upstream,
            slot,
            span,
            errand,
            started: now,
            give_up: attempt.give_up,
            awaits_headers: true,
            waits,
            chance: Chance::new(now, facts.deadline, attempt.debt),
            is_stream: false,
            has_data: false,
            is_over: false,
        }
    }

    /// The response's headers came.
    pub(super) fn track(mut self, response: Response<Body>) -> Response<Tracked> {
        let now = Instant::now();
        let code = early_code(&response).or_else(|| response.body().is_end_stream().then_some(Code::Unknown));
        let outcome = code.map_or(Outcome::Served, |code| judge(&response, code));
        self.answered(outcome, now);
        match code {
            Some(code) => self.end(outcome, code, now),
            None => self.is_stream = true,
        }
        response.map(|inner| Tracked { inner, tracker: self })
    }

    fn answered(&mut self, outcome: Outcome, now: Instant) {
        let (replica, elapsed) = (&self.slot.replica, now.saturating_duration_since(self.started));
        self.awaits_headers = false;
        if self.waits {
            return;
        }
        replica.load.answered(now);
        replica.latencies.record(elapsed, now);
        DURATION.record(elapsed.as_secs_f64(), &replica.labels);
        if outcome == Outcome::Served {
            replica.load.sample(elapsed, now);
        }
    }

    /// It got no headers.
    pub(super) fn failed(&mut self, kind: SendErrorKind) {
        let (outcome, code) = match kind {
            // A connection that closes in good order is no fault of the endpoint.
            SendErrorKind::NotSent | SendErrorKind::Refused => (Outcome::Cancelled, Code::Unavailable),
            SendErrorKind::Lost => (Outcome::Lost, Code::Unavailable),
            SendErrorKind::Reset(code) => (Outcome::of_break(code), code),
            SendErrorKind::Abandoned => (Outcome::Cancelled, Code::Cancelled),
        };
        self.end(outcome, code, Instant::now());
    }

    /// The endpoint gave its status at last; passes a failure on as such.
    fn told(&mut self, trailers: &mut HeaderMap, now: Instant) {
        let code = rpc::code_of(trailers).unwrap_or(Code::Unknown);
        self.end(of_status(code, trailers), code, now);
        if is_failure(code) {
            mark_passed_on(trailers);
        }
    }

    /// The response broke off; passes that on as the failure that it is.
    fn broken(&mut self, status: &mut Status, now: Instant) {
        let is_abandoned = std::error::Error::source(status).is_some_and(|source| source.is::<Abandoned>());
        let outcome = if is_abandoned { Outcome::Cancelled } else { Outcome::of_break(status.code()) };
        self.end(outcome, status.code(), now);
        if !is_abandoned {
            *status = pass_on(broken_off(status.code(), self.slot.replica.ordinal, self.upstream.name()));
        }
    }

    /// A frame of data came. The second one settles a probe: a stream may go on for as long as its reader likes, and one frame
    /// comes with each unary answer, whose trailers are the better evidence.
    fn received(&mut self, now: Instant) {
        self.chance.gave(now);
        if self.errand == Errand::Probe && std::mem::replace(&mut self.has_data, true) {
            self.errand = Errand::Nothing;
            self.upstream.shared.probed(&self.slot.replica, Outcome::Served, now);
        }
    }

    fn end(&mut self, outcome: Outcome, code: Code, now: Instant) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let fair = self.upstream.shared.ejection.min_timeout;
        let outcome = match self.is_stream {
            true => self.chance.judge_stream(outcome, fair, now),
            false => self.chance.judge_answer(outcome, fair, now),
        };
        let (replica, elapsed) = (&self.slot.replica, now.saturating_duration_since(self.started));
        if std::mem::take(&mut self.awaits_headers) && !self.waits {
            replica.load.given_up();
        }
        let elapsed = if self.waits { Duration::ZERO } else { elapsed };
        match outcome {
            Outcome::Failed | Outcome::Lost | Outcome::TimedOut => replica.load.penalize(elapsed, now),
            Outcome::Cancelled | Outcome::PassedOn | Outcome::Served => {}
        }
        replica.load.end();
        self.span.end(code);
        self.upstream.shared.attempted(replica, outcome, self.errand == Errand::Probe, now);
    }

    /// What it means that it was dropped now.
    fn abandoned(&self, now: Instant) -> (Outcome, Code) {
        let waited = now.saturating_duration_since(self.started);
        let is_time_out = self.awaits_headers && now >= self.give_up;
        let is_evidence = waited >= self.upstream.shared.ejection.min_timeout;
        match (is_time_out, is_evidence) {
            (true, true) => (Outcome::TimedOut, Code::DeadlineExceeded),
            (true, false) => (Outcome::Cancelled, Code::DeadlineExceeded),
            (false, _) => (Outcome::Cancelled, Code::Cancelled),
        }
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let now = Instant::now();
        let waited = now.saturating_duration_since(self.started);
        // Nobody knows how long it would have taken, but it was at least this long, if it could have answered at all.
        let load = &self.slot.replica.load;
        let is_known_slow = waited > Duration::from_secs_f64(load.latency(now).clamp(0.0, 1e6));
        if self.awaits_headers && !self.waits && is_known_slow && !self.chance.is_owed(Duration::ZERO, now) {
            load.sample(waited, now);
        }
        let (outcome, code) = self.abandoned(now);
        self.end(outcome, code, now);
    }
}

/// A response body that tells how its attempt ended.
pub(super) struct Tracked {
    inner: Body,
    tracker: Tracker,
}

impl Tracked {
    pub(super) fn replica(&self) -> u32 {
        self.tracker.slot.replica.ordinal
    }

    pub(super) fn is_on_errand(&self) -> bool {
        self.tracker.errand != Errand::Nothing
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.tracker.chance.asked();
        let mut frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let now = Instant::now();
        match &mut frame {
            Some(Ok(frame)) => match frame.trailers_mut() {
                Some(trailers) => self.tracker.told(trailers, now),
                None => self.tracker.received(now),
            },
            Some(Err(status)) => self.tracker.broken(status, now),
            None => self.tracker.end(Outcome::Failed, Code::Unknown, now),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What an answer says that has its status in its headers.
fn judge<B>(response: &Response<B>, code: Code) -> Outcome {
    let is_grpc = rpc::code_of(response.headers()).is_some();
    if is_grpc || !is_callers_fault(response.status()) { of_status(code, response.headers()) } else { Outcome::Served }
}

/// What an HTTP/2 server says of itself about a request that it will not have, before it comes to gRPC.
fn is_callers_fault(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::URI_TOO_LONG
            | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    )
}

/// What a status says, with the headers or trailers that it came in.
fn of_status(code: Code, headers: &HeaderMap) -> Outcome {
    if is_failure(code) && is_passed_on(headers) { Outcome::PassedOn } else { Outcome::of(code) }
}

/// Whether a status means that somebody failed, here or behind.
pub(super) fn is_failure(code: Code) -> bool {
    matches!(Outcome::of(code), Outcome::Failed | Outcome::TimedOut)
}

/// The status, where the headers have it already: an answer of headers only, or one that is not gRPC (by gRPC's table of
/// HTTP statuses).
pub(super) fn early_code<B>(response: &Response<B>) -> Option<Code> {
    rpc::code_of(response.headers()).or(match response.status() {
        StatusCode::OK => None,
        StatusCode::BAD_REQUEST => Some(Code::Internal),
        StatusCode::UNAUTHORIZED => Some(Code::Unauthenticated),
        StatusCode::FORBIDDEN => Some(Code::PermissionDenied),
        StatusCode::NOT_FOUND => Some(Code::Unimplemented),
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Some(Code::Unavailable),
        _ => Some(Code::Unknown),
    })
}
