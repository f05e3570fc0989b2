use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use crm_telemetry::rpc::{MalformedTimeout, read_timeout};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::is_open;
use super::refusal::{refuse, refuse_late};
use crate::caller::Deadline;
use crate::problem::Problem;
use crate::process::TakeBy;
use crate::reasons::{DEADLINE_EXCEEDED, TIMEOUT_MALFORMED};

/// Ends every call at its deadline, and tells handlers when that is.
///
/// tonic parses `grpc-timeout` only in its own transport, and answers CANCELLED; routes under any other server
/// ignore it. So it is ours: the answer is DEADLINE_EXCEEDED, in headers or, for a stream that is under way, in trailers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer {
    default: Duration,
    max: Duration,
}

impl DeadlineLayer {
    /// `default` for calls that bring no time-out, `max` for those that want too much.
    pub(crate) fn new(default: Duration, max: Duration) -> Self {
        Self { default: default.min(max), max }
    }

    /// When the call ends, if it does.
    fn deadline(&self, request: &Request<Body>) -> Result<Option<Instant>, MalformedTimeout> {
        let timeout = match read_timeout(request.headers())? {
            Some(timeout) => Some(timeout.min(self.max)),
            // Watching health lasts as long as the connection.
            None if is_open(request.uri().path()) => None,
            None => Some(self.default),
        };
        Ok(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner, layer: *self }
    }
}

/// What [`DeadlineLayer`] makes of a service.
#[derive(Clone, Debug)]
pub(crate) struct WithDeadline<S> {
    inner: S,
    layer: DeadlineLayer,
}

impl<S> Service<Request<Body>> for WithDeadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Ok(deadline) = self.layer.deadline(&request) else {
            return DeadlineFuture { inner: None, sleep: None };
        };
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(Deadline(deadline));
        }
        DeadlineFuture { inner: Some(self.inner.call(request)), sleep: deadline.map(sleep_until) }
    }
}

pin_project! {
    /// Nothing inside means that the time-out could not be read.
    #[derive(Debug)]
    pub(crate) struct DeadlineFuture<F> {
        #[pin]
        inner: Option<F>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<F, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            let problem = Problem::new(Code::InvalidArgument, TIMEOUT_MALFORMED, MalformedTimeout.to_string());
            return Poll::Ready(Ok(refuse(problem)));
        };
        if let Poll::Ready(result) = inner.poll(cx) {
            let deadline = this.sleep.as_pin_mut().map(|sleep| sleep.deadline());
            return Poll::Ready(result.map(|response| watch_body(response, deadline)));
        }
        match this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Ok(refuse(expired()))),
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }
}

fn expired() -> Problem {
    Problem::new(Code::DeadlineExceeded, DEADLINE_EXCEEDED, "the call took longer than its deadline")
}

fn watch_body(response: Response<Body>, deadline: Option<Instant>) -> Response<Body> {
    match deadline {
        Some(deadline) => {
            let mut response =
                response.map(|inner| Body::new(DeadlineBody { inner, deadline, sleep: None, done: false }));
            // Ends it also when nobody reads, and so nobody asks the body.
            response.extensions_mut().insert(TakeBy(deadline));
            response
        }
        None => response,
    }
}

/// An answer that streams until the deadline and no longer.
struct DeadlineBody {
    inner: Body,
    deadline: Instant,
    /// Made at the first wait: the one message of a unary answer never waits.
    sleep: Option<Pin<Box<Sleep>>>,
    done: bool,
}

impl http_body::Body for DeadlineBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let deadline = self.deadline;
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            // One that always has more to give never waits, and would never end.
            let is_more = matches!(&frame, Some(Ok(frame)) if frame.is_data());
            if !is_more || Instant::now() < deadline {
                return Poll::Ready(frame);
            }
        } else {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(sleep.as_mut().poll(cx));
        }
        self.done = true;
        self.inner = Body::empty();
        Poll::Ready(Some(Ok(Frame::trailers(refuse_late(expired())))))
    }

    fn is_end_stream(&self) -> bool {
        self.done || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
