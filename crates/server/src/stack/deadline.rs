use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crm_telemetry::rpc::{MalformedTimeout, Timed, read_timeout};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::refusal::{count_refusal, refuse};
use super::{StackSettings, is_open};
use crate::caller::Deadline;
use crate::methods::MethodTable;
use crate::problem::Problem;
use crate::process::TakeBy;
use crate::reasons::{DEADLINE_EXCEEDED, TIMEOUT_MALFORMED};

/// Ends every call at its deadline, and tells handlers when that is.
///
/// tonic parses `grpc-timeout` only in its own transport, and answers CANCELLED; routes under any other server
/// ignore it. So it is ours: the answer is DEADLINE_EXCEEDED, in headers or, for a stream that is under way, in trailers.
#[derive(Clone, Debug)]
pub(crate) struct DeadlineLayer {
    default: Duration,
    max: Duration,
    max_stream: Duration,
    methods: Arc<MethodTable>,
}

/// When a call ends, and how long it had then.
#[derive(Clone, Copy, Debug)]
struct Limit {
    at: Instant,
    given: Duration,
}

impl DeadlineLayer {
    /// A default for calls that bring no time-out, and a maximum for those that want too much; which of them stream is
    /// what `methods` says.
    pub(crate) fn new(settings: &StackSettings, methods: Arc<MethodTable>) -> Self {
        let &StackSettings { default_timeout, max_timeout, max_stream_timeout, .. } = settings;
        Self { default: default_timeout.min(max_timeout), max: max_timeout, max_stream: max_stream_timeout, methods }
    }

    /// When the call ends, if it does.
    fn limit(&self, request: &Request<Body>) -> Result<Option<Limit>, MalformedTimeout> {
        let path = request.uri().path();
        // A stream lasts as long as it has to say something.
        let (default, max) =
            if self.methods.streams(path) { (self.max_stream, self.max_stream) } else { (self.default, self.max) };
        let given = match read_timeout(request.headers())? {
            Some(timeout) => timeout.min(max),
            // Watching health lasts as long as the connection.
            None if is_open(path) => return Ok(None),
            None => default,
        };
        Ok(Instant::now().checked_add(given).map(|at| Limit { at, given }))
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner, layer: self.clone() }
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
        let Ok(limit) = self.layer.limit(&request) else {
            return DeadlineFuture { inner: None, sleep: None, limit: None };
        };
        if let Some(limit) = limit {
            request.extensions_mut().insert(Deadline(limit.at));
        }
        let sleep = limit.map(|limit| sleep_until(limit.at));
        DeadlineFuture { inner: Some(self.inner.call(request)), sleep, limit }
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
        limit: Option<Limit>,
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
            let limit = *this.limit;
            return Poll::Ready(result.map(|response| watch_body(response, limit)));
        }
        match (this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx)), *this.limit) {
            (Some(Poll::Ready(())), Some(limit)) => Poll::Ready(Ok(refuse(exceeded(limit.given)))),
            _ => Poll::Pending,
        }
    }
}

fn exceeded(given: Duration) -> Problem {
    let message = format!("the call took longer than the {given:?} that it had");
    Problem::new(Code::DeadlineExceeded, DEADLINE_EXCEEDED, message)
}

/// The same, counted, for a call whose headers are out.
fn exceeded_late(given: Duration) -> Status {
    let problem = exceeded(given);
    count_refusal(&problem);
    problem.into()
}

fn watch_body(response: Response<Body>, limit: Option<Limit>) -> Response<Body> {
    let Some(Limit { at, given }) = limit else { return response };
    let mut response = response.map(|inner| Body::new(Timed::new(inner, at, given, exceeded_late)));
    // Ends it also when nobody reads, and so nobody asks the body.
    response.extensions_mut().insert(TakeBy(at));
    response
}
