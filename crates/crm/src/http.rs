//! Small HTTP requests to loopback: the control API and admin ports.

use std::time::Duration;

use ::http::{HeaderMap, Method, Request, StatusCode};
use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A status, headers and a body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    #[allow(dead_code, reason = "read by the whole-system tests, which share this file")]
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The message of an error in google.rpc.Status form, or the status alone.
    pub(crate) fn message(&self) -> String {
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        let message = json.as_ref().and_then(|json| json.get("message")?.as_str());
        message.map_or_else(|| self.status.to_string(), str::to_owned)
    }
}

/// Sends one JSON request to `host:port` and reads the answer.
pub(crate) async fn send(address: &str, method: Method, path: &str, body: Value) -> anyhow::Result<Answer> {
    send_with(address, method, path, body, &[]).await
}

/// The same, with headers of the caller's.
pub(crate) async fn send_with(
    address: &str,
    method: Method,
    path: &str,
    body: Value,
    headers: &[(&str, &str)],
) -> anyhow::Result<Answer> {
    let body = if body.is_null() { Bytes::new() } else { serde_json::to_vec(&body)?.into() };
    let request = Request::builder().method(method).uri(path).header("host", address);
    let request = request.header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Full::new(body))?;
    let answer = tokio::time::timeout(PATIENCE, exchange(address, request)).await;
    answer.with_context(|| format!("{address} does not answer"))?.with_context(|| format!("cannot reach {address}"))
}

/// Any request to `host:port`, for as long as it takes.
pub(crate) async fn exchange(address: &str, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| anyhow::anyhow!(error))?;
    connection.abort();
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}
