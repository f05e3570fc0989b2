//! Questions to the control APIs and the trace viewer: each bounded in time and size, whatever the other side does.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

/// How long an answer may take; a person waits for what the page does with it.
const PATIENCE: Duration = Duration::from_secs(2);
const CONNECT_PATIENCE: Duration = Duration::from_millis(500);
/// Twenty whole traces are about a tenth of this.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Why a question has no answer, in words for the page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundError {
    #[error("does not answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("cannot be reached")]
    Unreachable,
    #[error("says: {0}")]
    Refused(String),
    #[error("answers what is not understood here")]
    Unreadable,
}

/// Asks over a few kept connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Outbound {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_PATIENCE));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(2).build(connector);
        Self { client }
    }

    /// The JSON at an address.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OutboundError> {
        let body = self.ask(Method::GET, url, &Value::Null).await?;
        serde_json::from_slice(&body).map_err(|_| OutboundError::Unreadable)
    }

    /// Tells something; what comes back besides success does not matter.
    pub(crate) async fn tell(&self, method: Method, url: &str, body: &Value) -> Result<(), OutboundError> {
        self.ask(method, url, body).await.map(drop)
    }

    /// Opens an answer that has no end.
    pub(crate) async fn open(&self, url: &str) -> Result<hyper::body::Incoming, OutboundError> {
        let asked = self.client.request(request(Method::GET, url, &Value::Null)?);
        let answer = timeout(PATIENCE, asked).await.map_err(|_| OutboundError::Slow)?;
        let answer = answer.map_err(|_| OutboundError::Unreachable)?;
        if answer.status().is_success() {
            Ok(answer.into_body())
        } else {
            Err(OutboundError::Refused(answer.status().to_string()))
        }
    }

    async fn ask(&self, method: Method, url: &str, body: &Value) -> Result<Bytes, OutboundError> {
        let request = request(method, url, body)?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|_| OutboundError::Unreachable)?;
            let (status, body) = (answer.status(), Limited::new(answer.into_body(), MAX_ANSWER_BYTES));
            let body = body.collect().await.map_err(|_| OutboundError::Unreadable)?.to_bytes();
            if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
        };
        timeout(PATIENCE, exchange).await.unwrap_or(Err(OutboundError::Slow))
    }
}

fn request(method: Method, url: &str, body: &Value) -> Result<Request<Full<Bytes>>, OutboundError> {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let request = Request::builder().method(method).uri(url).header(header::CONTENT_TYPE, "application/json");
    request.body(Full::new(body)).map_err(|_| OutboundError::Unreachable)
}

/// The message of an error in google.rpc.Status form, or the status alone.
fn refusal(status: StatusCode, body: &[u8]) -> OutboundError {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| json.get("message")?.as_str());
    OutboundError::Refused(message.map_or_else(|| status.to_string(), str::to_owned))
}
