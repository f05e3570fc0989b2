//! The client stack: what a call passes on its way to an endpoint. [`client`] builds it, innermost first.

mod attempt;
mod budget;
mod chance;
mod counted;
mod deadline;
mod limit;
mod refusal;
mod replay;
mod retry;
mod shed;
mod stage;
mod tracker;

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;

pub(crate) use limit::Limit;
pub use refusal::REASONS;

use crate::{ClientSettings, Upstream};
use attempt::Attempts;
use counted::Counted;
use deadline::Deadline;
use retry::Retry;
use shed::Shed;
use stage::{Call, Stage};

/// Request extension: whether this call may be tried again after it was sent. Absent means no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retryable(pub bool);

/// Request extension: the key of `consistent_hash`. Equal keys go to the same endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashKey(pub u64);

/// Request extension: for whom the call is made, a tenant's id as a number. However many calls of one are in flight, those
/// of others are let in. Absent means that only the limit of all bounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CalledFor(pub u128);

/// Request extension: the answer comes when something happens, not when work is done (a long poll, a stream of events). It
/// takes no place under the adaptive limit, and how long it takes is no sample of how long answers take: whoever answers
/// bounds how many there are. Absent means that the call is work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits;

/// Response extension: who answered, and after how many tries. On an error it is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// Ordinal of the endpoint that gave the response.
    pub replica: u32,
    /// Attempts, this one included.
    pub tries: u32,
}

/// Response extension: when the call's time is over. The body ends then with a status, if it is read.
///
/// A body that nobody reads cannot notice: who passes it on should drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expires(pub tokio::time::Instant);

/// Calls an upstream: a service for any generated tonic client (`AccountServiceClient::new(client)`), or for whole
/// requests that a gateway passes through.
///
/// It is always ready: what cannot be served now is refused at once, with a status that says why.
#[derive(Clone)]
pub struct Client {
    stack: Arc<Counted<Deadline<Shed<Retry>>>>,
    upstream: Upstream,
}

/// Builds the client stack over an upstream, innermost first.
#[must_use]
pub fn client(upstream: Upstream, settings: ClientSettings) -> Client {
    // Chooses an endpoint, tracks its load and puts a span around each attempt, for each may go elsewhere.
    let attempts = Attempts::new(upstream.clone());
    // Outside the choice, so that a second try goes to another endpoint.
    let retried = Retry::new(attempts, settings.retry);
    // Outside the retries: a call that is refused for load must not come back by itself.
    let shed = Shed::new(retried, upstream.clone(), settings.shed);
    // Outside everything that can wait: one deadline for all tries and pauses together.
    let bounded = Deadline::new(shed, settings.default_timeout, settings.max_timeout);
    // Outermost, so that it sees what the caller sees, a call that the caller gave up included.
    let counted = Counted::new(bounded, upstream.clone());
    Client { stack: Arc::new(counted), upstream }
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let stack = Arc::clone(&self.stack);
        let mut call = Call::new(request, self.upstream.shared.hash_header.as_ref());
        Box::pin(async move { stack.call(&mut call).await.map(|response| response.map(Body::new)) })
    }
}
