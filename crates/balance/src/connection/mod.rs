//! The seam between choosing and sending: an established connection, and how to get one.

mod broken;
mod h2;
mod places;
mod received;
mod resets;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;

pub(crate) use h2::H2Connector;
pub(crate) use received::Abandoned;

/// One established connection that carries many calls at a time. Dropping the last handle closes it once its calls ended.
pub trait Connection: Send + Sync + 'static {
    /// Sends a request; resolves with the response's headers. Dropping the future, or the response body before its end,
    /// cancels the call at the peer.
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>>;

    /// Whether new requests are refused: dead, or asked by the peer to go away.
    fn is_closed(&self) -> bool;

    /// Resolves when [`is_closed`](Self::is_closed) turns true.
    fn closed(&self) -> BoxFuture<'static, ()>;
}

/// Makes connections to endpoints.
pub trait Connect: Send + Sync + 'static {
    /// Connects to `host:port`. The caller bounds the time.
    fn connect(&self, address: &str) -> BoxFuture<'static, Result<Arc<dyn Connection>, ConnectError>>;
}

/// Why there is no connection, in words fit for an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The peer, or the way to it, refused.
    #[error("connect failed: {0}")]
    Refused(String),
    /// No connection within the time allowed.
    #[error("connect timed out after {0:?}")]
    TimedOut(Duration),
}

/// Why a request got no response headers.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct SendError {
    /// How far the request came.
    pub kind: SendErrorKind,
    /// The transport's words.
    pub message: String,
}

/// How far a request without response headers came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendErrorKind {
    /// It never left: safe to send elsewhere.
    #[error("request not sent")]
    NotSent,
    /// The peer says that it did not process it (`REFUSED_STREAM`, or GOAWAY with a lower last stream): safe to repeat.
    #[error("request refused unprocessed")]
    Refused,
    /// The connection broke: nobody knows.
    #[error("connection lost")]
    Lost,
    /// The caller's own request body failed.
    #[error("request body failed")]
    Abandoned,
    /// The peer reset this one call; with the status that gRPC gives to the reset's reason.
    #[error("call reset by peer")]
    Reset(Code),
}
