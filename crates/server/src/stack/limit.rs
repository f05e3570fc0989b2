use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crm_shares::{Refused, Share, Shares};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tower::{Layer, Service};

use super::is_open;
use super::refusal::answer;
use crate::methods::MethodTable;
use crate::shares::{hold, holder, refuse};
use crate::token::Claims;

/// Bounds the calls in flight, from headers to the last byte of the answer, over all connections; and those of one tenant,
/// so that however many of its calls hang, those of others find a place.
///
/// More calls are refused and not queued: their callers' deadlines would pass while they wait (Little's law).
///
/// What waits more than it works takes no place: its handler bounds how many of its kind there are.
#[derive(Clone, Debug)]
pub(crate) struct LimitLayer {
    places: Shares,
    methods: Arc<MethodTable>,
}

impl LimitLayer {
    /// Clones share the limit.
    pub(crate) fn new(calls: usize, methods: Arc<MethodTable>) -> Self {
        Self { places: Shares::new(calls), methods }
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, layer: self.clone() }
    }
}

/// What [`LimitLayer`] makes of a service.
#[derive(Clone, Debug)]
pub(crate) struct Limit<S> {
    inner: S,
    layer: LimitLayer,
}

impl<S> Service<Request<Body>> for Limit<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = LimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if is_open(path) || self.layer.methods.waits(path) {
            return LimitFuture { inner: Some(self.inner.call(request)), entered: Ok(None) };
        }
        let tenant = request.extensions().get::<Arc<Claims>>().and_then(|claims| holder(claims));
        match self.layer.places.take(tenant, 1) {
            Ok(place) => LimitFuture { inner: Some(self.inner.call(request)), entered: Ok(Some(place)) },
            Err(refused) => LimitFuture { inner: None, entered: Err(refused) },
        }
    }
}

pin_project! {
    /// Nothing inside means that there was no room.
    #[derive(Debug)]
    pub(crate) struct LimitFuture<F> {
        #[pin]
        inner: Option<F>,
        entered: Result<Option<Share>, Refused>,
    }
}

impl<F, E> Future for LimitFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match (this.inner.as_pin_mut(), &this.entered) {
            (Some(inner), _) => ready!(inner.poll(cx))?,
            (None, Err(refused)) => answer(refuse(*refused, "calls in flight")),
            (None, Ok(_)) => return Poll::Pending,
        };
        let place = this.entered.as_mut().ok().and_then(Option::take);
        Poll::Ready(Ok(hold(response, place)))
    }
}
