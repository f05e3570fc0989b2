//! Follows one attempt from its sending to the end of its response, whoever ends it, and tells the endpoint's figures.
//!
//! What an attempt was is known at its trailers. If it is dropped before, it was given up: by its own time, or by its caller.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use crm_telemetry::{names, rpc};
use http::{Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use opentelemetry::metrics::Histogram;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

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
    has_data: bool,
    is_over: bool,
}

impl Tracker {
    pub(super) fn begin(
        upstream: Upstream,
        chosen: &Chosen,
        span: rpc::Attempt,
        now: Instant,
        give_up: Instant,
    ) -> Self {
        let slot = Arc::clone(&chosen.slot);
        slot.replica.load.begin(now);
        let errand = chosen.errand;
        Self {
            upstream,
            slot,
            span,
            errand,
            started: now,
            give_up,
            awaits_headers: true,
            has_data: false,
            is_over: false,
        }
    }

    /// The response's headers came.
    pub(super) fn track(mut self, response: Response<Body>) -> Response<Tracked> {
        let now = Instant::now();
        let code = early_code(&response).or_else(|| response.body().is_end_stream().then_some(Code::Unknown));
        self.answered(code.map_or(Outcome::Served, Outcome::of), now);
        if let Some(code) = code {
            self.closed(code, now);
        }
        response.map(|inner| Tracked { inner, tracker: self })
    }

    fn answered(&mut self, outcome: Outcome, now: Instant) {
        let (replica, elapsed) = (&self.slot.replica, now.saturating_duration_since(self.started));
        self.awaits_headers = false;
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

    /// A frame of data came. The second one settles a probe: a stream may go on for as long as its reader likes, and one frame
    /// comes with each unary answer, whose trailers are the better evidence.
    fn received(&mut self, now: Instant) {
        if self.errand == Errand::Probe && std::mem::replace(&mut self.has_data, true) {
            self.errand = Errand::Nothing;
            self.upstream.shared.probed(&self.slot.replica, Outcome::Served, now);
        }
    }

    /// The endpoint gave its status.
    fn closed(&mut self, code: Code, now: Instant) {
        self.end(Outcome::of(code), code, now);
    }

    fn end(&mut self, outcome: Outcome, code: Code, now: Instant) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let (replica, elapsed) = (&self.slot.replica, now.saturating_duration_since(self.started));
        if std::mem::take(&mut self.awaits_headers) {
            replica.load.given_up();
        }
        match outcome {
            Outcome::Failed | Outcome::Lost | Outcome::TimedOut => replica.load.penalize(elapsed, now),
            Outcome::Cancelled | Outcome::Served => {}
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
        // Nobody knows how long it would have taken, but it was at least this long.
        if self.awaits_headers && waited > Duration::from_secs_f64(self.slot.replica.load.latency(now).clamp(0.0, 1e6))
        {
            self.slot.replica.load.sample(waited, now);
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
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let now = Instant::now();
        match &frame {
            Some(Ok(frame)) => match frame.trailers_ref() {
                Some(trailers) => self.tracker.closed(rpc::code_of(trailers).unwrap_or(Code::Unknown), now),
                None => self.tracker.received(now),
            },
            Some(Err(status)) => self.tracker.end(broken_off(status), status.code(), now),
            None => self.tracker.closed(Code::Unknown, now),
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

fn broken_off(status: &Status) -> Outcome {
    let is_abandoned = std::error::Error::source(status).is_some_and(|source| source.is::<Abandoned>());
    if is_abandoned { Outcome::Cancelled } else { Outcome::of_break(status.code()) }
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
