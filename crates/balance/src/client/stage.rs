//! One layer of the stack: an async function from a call to a response.
//!
//! Not a `tower::Layer`: those name their futures, and so either box one for each layer or write each by hand. Here the
//! futures nest, and the whole stack is boxed once.

use std::future::Future;

use bytes::Bytes;
use crm_shares::Holder;
use http::{HeaderName, Request, Response};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use super::{CalledFor, HashKey, Retryable, Waits};
use crate::dice;

pub(super) trait Stage: Send + Sync {
    type Body: http_body::Body<Data = Bytes, Error = Status> + Send + 'static;

    /// By reference: each layer would otherwise keep a copy of the whole request in its future.
    fn call(&self, call: &mut Call) -> impl Future<Output = Result<Response<Self::Body>, Status>> + Send;
}

/// A request and what the stack knows about it.
pub(super) struct Call {
    pub(super) request: Request<Body>,
    pub(super) facts: Facts,
}

/// What stays the same for all attempts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) started: Instant,
    /// Set by the deadline layer.
    pub(super) deadline: Instant,
    pub(super) retryable: bool,
    pub(super) bulk: bool,
    pub(super) key: Option<u64>,
    pub(super) holder: Holder,
    /// Its answer comes when something happens.
    pub(super) waits: bool,
}

const PRIORITY: HeaderName = HeaderName::from_static("x-crm-priority");

impl Call {
    pub(super) fn new(mut request: Request<Body>, hash_header: Option<&HeaderName>) -> Self {
        // The caller's extensions end here: what they hold (a connection's handles, say) is not for the next hop.
        let extensions = std::mem::take(request.extensions_mut());
        let now = Instant::now();
        let of_header = || hash_header.and_then(|name| request.headers().get(name)).map(|it| dice::hash(it.as_bytes()));
        let facts = Facts {
            started: now,
            deadline: now,
            retryable: extensions.get::<Retryable>().is_some_and(|it| it.0),
            bulk: request.headers().get(PRIORITY).is_some_and(|priority| priority == "bulk"),
            key: extensions.get::<HashKey>().map(|it| it.0).or_else(of_header),
            holder: extensions.get::<CalledFor>().map(|it| it.0),
            waits: extensions.get::<Waits>().is_some(),
        };
        Self { request, facts }
    }
}
