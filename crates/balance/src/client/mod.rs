//! The client stack.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;

use crate::{ClientSettings, Upstream};

/// Request extension: whether this call may be tried again after it was sent. Absent means no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retryable(pub bool);

/// Request extension: the key of `consistent_hash`. Equal keys go to the same endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashKey(pub u64);

/// Response extension: who answered, and after how many tries. On an error it is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// Ordinal of the endpoint that gave the response.
    pub replica: u32,
    /// Attempts, this one included.
    pub tries: u32,
}

/// Calls an upstream: a service for any generated tonic client (`AccountServiceClient::new(client)`), or for whole
/// requests that a gateway passes through.
#[derive(Clone)]
pub struct Client {
    upstream: Upstream,
}

/// Builds the client stack over an upstream.
#[must_use]
pub fn client(upstream: Upstream, _settings: ClientSettings) -> Client {
    Client { upstream }
}

impl Client {
    /// The upstream behind it.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }
}

impl tower::Service<Request<Body>> for Client {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<Body>) -> Self::Future {
        Box::pin(async { Err(Status::unavailable("not yet")) })
    }
}
