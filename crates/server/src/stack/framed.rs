use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use crm_telemetry::rpc::trailers;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::refusal::count_refusal;
use crate::framing::{Expected, Framing};
use crate::methods::MethodTable;
use crate::problem::Problem;

/// Watches the messages of each request on their way to the handlers. What is wrong with them is the call's answer,
/// whatever the handler makes of it: one that reads a stream may take the end of what it can read for the end.
#[derive(Clone, Debug)]
pub struct FramedLayer {
    methods: Arc<MethodTable>,
    most_bytes: usize,
}

impl FramedLayer {
    /// Whether a method takes one message is what `methods` says, or health's own description.
    pub fn new(methods: Arc<MethodTable>, most_bytes: usize) -> Self {
        Self { methods, most_bytes }
    }

    fn expected(&self, path: &str) -> Expected {
        let one = self.methods.takes_one(path) || path.starts_with("/grpc.health.v1.");
        Expected { one, packed: false, most_bytes: self.most_bytes }
    }
}

impl<S> Layer<S> for FramedLayer {
    type Service = Framed<S>;

    fn layer(&self, inner: S) -> Framed<S> {
        Framed { inner, layer: self.clone() }
    }
}

/// What [`FramedLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Framed<S> {
    inner: S,
    layer: FramedLayer,
}

impl<S> Service<Request<Body>> for Framed<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = FramedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let expected = self.layer.expected(request.uri().path());
        let (framing, fault) = (Framing::new(expected), FirstError::default());
        let noted = fault.clone();
        let request = request.map(|body| Body::new(Watched { body, framing, fault: noted }));
        FramedFuture { inner: self.inner.call(request), fault, may_begin_early: !expected.one }
    }
}

/// What was wrong with a request, once it is known.
#[derive(Clone, Debug, Default)]
struct FirstError(Arc<OnceLock<Status>>);

impl FirstError {
    fn note(&self, status: Status) -> Status {
        self.0.get_or_init(|| status).clone()
    }

    fn refuse(&self, problem: Problem) -> Status {
        count_refusal(&problem);
        self.note(problem.into())
    }
}

pin_project! {
    /// Waits for the handler's answer.
    #[derive(Debug)]
    pub struct FramedFuture<F> {
        #[pin]
        inner: F,
        fault: FirstError,
        // Handlers of one message have it, whole and alone, before they begin.
        may_begin_early: bool,
    }
}

impl<F, E> Future for FramedFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(match this.fault.0.get() {
            Some(status) => status.clone().into_http(),
            None if !*this.may_begin_early => response,
            None => {
                let fault = this.fault.clone();
                response.map(|inner| Body::new(Told { inner, fault, is_over: false }))
            }
        }))
    }
}

/// A request on its way in.
struct Watched {
    body: Body,
    framing: Framing,
    fault: FirstError,
}

impl Watched {
    fn check(&mut self, frame: Option<&Frame<Bytes>>) -> Result<(), Status> {
        let checked = match frame {
            Some(frame) => frame.data_ref().map_or(Ok(()), |data| self.framing.push(data)),
            None => self.framing.end(),
        };
        checked.map_err(|problem| self.fault.refuse(problem))
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(status) = self.fault.0.get() {
            return Poll::Ready(Some(Err(status.clone())));
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(status)) => return Poll::Ready(Some(Err(self.fault.note(status)))),
            Some(Ok(frame)) => Some(frame),
            None => None,
        };
        Poll::Ready(match self.check(frame.as_ref()) {
            Ok(()) => frame.map(Ok),
            Err(status) => Some(Err(status)),
        })
    }

    // What is left out of the request is known only when its end is asked for.
    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that has begun before the fault was found.
struct Told {
    inner: Body,
    fault: FirstError,
    is_over: bool,
}

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let is_data = matches!(&frame, Some(Ok(frame)) if frame.is_data());
        self.is_over = !is_data;
        match self.fault.0.get() {
            Some(status) if !is_data => Poll::Ready(Some(Ok(Frame::trailers(trailers(status))))),
            _ => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
