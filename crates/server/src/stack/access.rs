use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tower::{Layer, Service};

use super::is_open;
use super::refusal::refuse;
use crate::headers::check_single;
use crate::methods::MethodTable;
use crate::problem::Problem;
use crate::token::{Claims, Verifier};

/// Lets in callers with a valid token whose role allows the method, and tells handlers who they are.
#[derive(Clone, Debug)]
pub(crate) struct AccessLayer {
    rules: Arc<Rules>,
}

/// Behind one pointer, because a service is cloned for every call.
#[derive(Debug)]
struct Rules {
    verifier: Verifier,
    methods: Arc<MethodTable>,
}

impl AccessLayer {
    /// Of other packages than ours, a viewer may call what `methods` declares to have no side effects.
    pub(crate) fn new(verifier: Verifier, methods: Arc<MethodTable>) -> Self {
        Self { rules: Arc::new(Rules { verifier, methods }) }
    }
}

impl Rules {
    fn admit(&self, request: &Request<Body>) -> Result<Arc<Claims>, Problem> {
        check_single(request.headers())?;
        let path = request.uri().path();
        self.verifier.admit(request.headers(), path, || self.methods.only_reads(path))
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { inner, layer: self.clone() }
    }
}

/// What [`AccessLayer`] makes of a service.
#[derive(Clone, Debug)]
pub(crate) struct Access<S> {
    inner: S,
    layer: AccessLayer,
}

impl<S> Service<Request<Body>> for Access<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = AccessFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !is_open(request.uri().path()) {
            match self.layer.rules.admit(&request) {
                Ok(claims) => request.extensions_mut().insert(claims),
                Err(problem) => return AccessFuture { inner: None, refused: Some(refuse(problem)) },
            };
        }
        AccessFuture { inner: Some(self.inner.call(request)), refused: None }
    }
}

pin_project! {
    /// Either the handler's answer or the layer's own.
    #[derive(Debug)]
    pub(crate) struct AccessFuture<F> {
        #[pin]
        inner: Option<F>,
        refused: Option<Response<Body>>,
    }
}

impl<F, E> Future for AccessFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(cx),
            None => this.refused.take().map_or(Poll::Pending, |refused| Poll::Ready(Ok(refused))),
        }
    }
}
