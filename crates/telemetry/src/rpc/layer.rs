use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Code;
use tower::{Layer, Service};

use super::call::Call;
use super::{CallersFault, Methods, code_of};

/// Gives every gRPC call a SERVER span and counts its rate, errors and duration.
///
/// The span is the current one while the handler runs and while its response streams. A call counts once:
/// when its status is known, or as `cancelled` when the caller went away before.
#[derive(Clone, Debug)]
pub struct ServerLayer {
    methods: Methods,
}

impl ServerLayer {
    /// Calls of other methods than these are counted together, as [`OTHER`](super::OTHER).
    pub fn new(methods: Methods) -> Self {
        Self { methods }
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService { inner, methods: self.methods.clone() }
    }
}

/// What [`ServerLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    inner: S,
    methods: Methods,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<CallBody<R>>;
    type Error = S::Error;
    type Future = CallFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        let call = Call::begin(self.methods.find(path), path, request.headers());
        let inner = call.span().in_scope(|| self.inner.call(request));
        CallFuture { inner, call: Some(call) }
    }
}

pin_project! {
    /// Waits for the response's headers.
    #[derive(Debug)]
    pub struct CallFuture<F> {
        // First, so that the handler is gone before its call is counted.
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F, R, E> Future for CallFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<CallBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = {
            let _entered = this.call.as_ref().map(|call| call.span().enter());
            ready!(this.inner.poll(cx))
        };
        let call = this.call.take();
        Poll::Ready(match result {
            Ok(response) => Ok(watch_body(response, call)),
            Err(error) => {
                end(call, Code::Unknown);
                Err(error)
            }
        })
    }
}

/// A response without a body carries its status in the headers ("trailers-only").
fn watch_body<R>(response: Response<R>, call: Option<Call>) -> Response<CallBody<R>> {
    let call = match code_of(response.headers()) {
        Some(code) => {
            let is_ours = !CallersFault::is_told(&response);
            if let Some(call) = call {
                call.end_by(code, is_ours);
            }
            None
        }
        None => call,
    };
    response.map(|inner| CallBody { inner, call })
}

fn end(call: Option<Call>, code: Code) {
    if let Some(call) = call {
        call.end(code);
    }
}

pin_project! {
    /// Reads the status out of the trailers.
    #[derive(Debug)]
    pub struct CallBody<R> {
        #[pin]
        inner: R,
        call: Option<Call>,
    }
}

impl<R> Body for CallBody<R>
where
    R: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let this = self.project();
        let frame = {
            let _entered = this.call.as_ref().map(|call| call.span().enter());
            ready!(this.inner.poll_frame(cx))
        };
        // A body that ends or breaks without a status has none: gRPC calls that UNKNOWN.
        match &frame {
            None | Some(Err(_)) => end(this.call.take(), Code::Unknown),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    end(this.call.take(), code_of(trailers).unwrap_or(Code::Unknown));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
