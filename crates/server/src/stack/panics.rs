use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use crm_telemetry::{metrics, names};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::refusal::{refuse, refuse_late};
use crate::problem::Problem;
use crate::reasons::HANDLER_PANICKED;

static PANICS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::SERVER_PANICS));

/// Answers INTERNAL for a handler that panics, and keeps its connection and the other calls on it alive.
///
/// The panic hook has logged the place by then, under the call's trace id.
#[derive(Clone, Copy, Debug)]
pub struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// What [`CatchPanicLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for CatchPanic<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
{
    type Response = Response<CatchPanicBody<B>>;
    type Error = S::Error;
    type Future = CatchPanicFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // What a handler leaves half-done in its own state is its own affair; ours is not touched by the unwinding.
        let inner = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        CatchPanicFuture { inner: inner.ok() }
    }
}

pin_project! {
    /// Nothing inside means that the handler panicked before it returned a future.
    #[derive(Debug)]
    pub struct CatchPanicFuture<F> {
        #[pin]
        inner: Option<F>,
    }
}

impl<F, B, E> Future for CatchPanicFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<CatchPanicBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.project().inner.as_pin_mut().map(|inner| catch_unwind(AssertUnwindSafe(|| inner.poll(cx))));
        match polled {
            Some(Ok(poll)) => poll.map_ok(|response| response.map(|inner| CatchPanicBody { inner: Some(inner) })),
            // Headers only, and so without a body.
            Some(Err(_)) | None => Poll::Ready(Ok(refuse(panicked()).map(|_| CatchPanicBody { inner: None }))),
        }
    }
}

/// A stream of answers panics while it is read, long after its headers went out.
#[derive(Debug)]
pub struct CatchPanicBody<B> {
    // None once it has panicked.
    inner: Option<B>,
}

impl<B> http_body::Body for CatchPanicBody<B>
where
    B: http_body::Body<Data = Bytes, Error = Status> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx))).unwrap_or_else(|_| {
            self.inner = None;
            Poll::Ready(Some(Ok(Frame::trailers(refuse_late(panicked())))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

fn panicked() -> Problem {
    PANICS.add(1, &[] as &[KeyValue]);
    Problem::new(Code::Internal, HANDLER_PANICKED, "internal error")
}
