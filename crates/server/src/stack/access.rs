use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use super::is_open;
use super::refusal::refuse;
use crate::methods::MethodTable;
use crate::problem::Problem;
use crate::reasons::ROLE_READ_ONLY;
use crate::token::{Claims, Role, TokenError, Verifier};

/// Lets in callers with a valid token whose role allows the method, and tells handlers who they are.
#[derive(Clone, Debug)]
pub struct AccessLayer {
    rules: Arc<Rules>,
}

/// Behind one pointer, because a service is cloned for every call.
#[derive(Debug)]
struct Rules {
    verifier: Verifier,
    methods: MethodTable,
}

impl AccessLayer {
    /// What a viewer may call is what `methods` declares to have no side effects.
    pub fn new(verifier: Verifier, methods: MethodTable) -> Self {
        Self { rules: Arc::new(Rules { verifier, methods }) }
    }
}

impl Rules {
    fn admit(&self, request: &Request<Body>) -> Result<Arc<Claims>, Problem> {
        let claims = self.verifier.verify(bearer(request.headers())?)?;
        if claims.role.may_write() || self.methods.only_reads(request.uri().path()) {
            return Ok(claims);
        }
        let message = "this role may only read";
        Err(Problem::new(Code::PermissionDenied, ROLE_READ_ONLY, message).with_metadata("role", Role::Viewer.as_str()))
    }
}

/// The token itself. The scheme's name is matched in any case (RFC 9110, 11.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = value.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { inner, layer: self.clone() }
    }
}

/// What [`AccessLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Access<S> {
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
    pub struct AccessFuture<F> {
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
