use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::is_open;
use super::refusal::refuse;
use crate::problem::Problem;
use crate::reasons::OVERLOADED;

/// When a refused caller may come back: about the time in which half of what is in flight has gone.
const PUSHBACK: Duration = Duration::from_millis(100);

/// Bounds the calls in flight, from headers to the last byte of the answer, over all connections.
///
/// More calls are refused and not queued: their callers' deadlines would pass while they wait (Little's law).
#[derive(Clone, Debug)]
pub struct LimitLayer {
    permits: Arc<Semaphore>,
}

impl LimitLayer {
    /// Clones share the limit.
    pub fn new(calls: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))) }
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, permits: Arc::clone(&self.permits) }
    }
}

/// What [`LimitLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Limit<S> {
    inner: S,
    permits: Arc<Semaphore>,
}

impl<S> Service<Request<Body>> for Limit<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<HeldBody>;
    type Error = S::Error;
    type Future = LimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_open(request.uri().path()) {
            return LimitFuture { inner: Some(self.inner.call(request)), permit: None };
        }
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => LimitFuture { inner: Some(self.inner.call(request)), permit: Some(permit) },
            Err(_) => LimitFuture { inner: None, permit: None },
        }
    }
}

pin_project! {
    /// Nothing inside means that there was no room.
    #[derive(Debug)]
    pub struct LimitFuture<F> {
        #[pin]
        inner: Option<F>,
        permit: Option<OwnedSemaphorePermit>,
    }
}

impl<F, E> Future for LimitFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<HeldBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.inner.as_pin_mut() {
            Some(inner) => ready!(inner.poll(cx))?,
            None => {
                let problem = Problem::new(Code::ResourceExhausted, OVERLOADED, "too many calls in flight");
                refuse(problem.with_retry_delay(PUSHBACK))
            }
        };
        let permit = this.permit.take();
        Poll::Ready(Ok(response.map(|inner| HeldBody { inner, _permit: permit })))
    }
}

/// Keeps the permit while the answer is being sent.
#[derive(Debug)]
pub struct HeldBody {
    inner: Body,
    _permit: Option<OwnedSemaphorePermit>,
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
