//! The crate's one object.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::{Error, Limits, RequestError, RouteError, Rpc};

/// Turns REST/JSON into gRPC messages and back.
#[derive(Debug)]
pub struct Transcoder {
    rpcs: Vec<Arc<Rpc>>,
}

/// The RPC that a method and path lead to, with the path's variables.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The RPC; clone the `Arc` to keep it beyond the match.
    pub rpc: &'a Arc<Rpc>,
}

impl Transcoder {
    /// Compiles routes from an encoded `FileDescriptorSet`.
    pub fn new(_descriptors: &[u8]) -> Result<Self, Error> {
        Ok(Self { rpcs: Vec::new() })
    }
    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, _limits: Limits) -> Self {
        self
    }
    /// Finds the RPC.
    pub fn route<'a>(&'a self, _method: &Method, _path: &'a str) -> Result<Match<'a>, RouteError> {
        Err(RouteError::NotFound)
    }
    /// The request message, encoded, without a gRPC frame.
    pub fn request(
        &self,
        _m: &Match<'_>,
        _query: Option<&str>,
        _headers: &HeaderMap,
        _body: &[u8],
    ) -> Result<Bytes, RequestError> {
        Ok(Bytes::new())
    }
    /// JSON of an answer.
    pub fn response_json(&self, _rpc: &Rpc, _message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
    /// JSON line (with the line feed) of one answer of a server stream.
    pub fn response_line(&self, _rpc: &Rpc, _message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
    /// `google.rpc.Status` as JSON; `details` is the decoded `grpc-status-details-bin`.
    pub fn status_json(&self, _code: i32, _message: &str, _details: &[u8]) -> (StatusCode, Vec<u8>) {
        (StatusCode::OK, Vec::new())
    }
    /// The last line of a server stream that failed: `{"error":{…}}` and a line feed.
    pub fn status_line(&self, _code: i32, _message: &str, _details: &[u8]) -> Vec<u8> {
        Vec::new()
    }
    /// JSON answer to a request that does not fit.
    pub fn request_error_json(&self, _error: &RequestError) -> (StatusCode, Vec<u8>) {
        (StatusCode::BAD_REQUEST, Vec::new())
    }
    /// JSON answer to a request without a route.
    pub fn route_error_json(&self, _error: &RouteError) -> (StatusCode, Vec<u8>) {
        (StatusCode::NOT_FOUND, Vec::new())
    }
    /// Every RPC of every service.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Rpc>> {
        self.rpcs.iter()
    }
    /// The RPC of a gRPC path `/package.Service/Method`.
    pub fn rpc(&self, _path: &str) -> Option<&Arc<Rpc>> {
        None
    }
    /// OpenAPI 3.1.
    pub fn openapi(&self, _title: &str, _version: &str) -> Value {
        Value::Null
    }
    /// Encodes JSON as the message type named.
    pub fn json_to_message(&self, _message: &str, _json: &Value) -> Result<Bytes, RequestError> {
        Ok(Bytes::new())
    }
    /// Shows a message of the type named as JSON.
    pub fn message_to_json(&self, _message: &str, _bytes: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
}
