//! Whether a process is ready: it says so on its admin port. And whether a gateway has found those behind it.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::Method;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::http;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// Waits until it is. Bounded by the caller, who sees the process end.
pub(super) async fn until_ready(admin: Option<SocketAddr>) {
    if let Some(admin) = admin {
        while !is_ready(admin).await.unwrap_or(false) {
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Waits until the gateway with this control address has a connection to each replica. Bounded by the caller.
pub(super) async fn until_connected(control: SocketAddr) {
    while !is_connected(control).await {
        sleep(LOOK_EVERY).await;
    }
}

/// Whether the gateway with this control address has a connection to each replica.
pub(crate) async fn is_connected(control: SocketAddr) -> bool {
    ask_connected(control).await.unwrap_or(false)
}

async fn ask_connected(control: SocketAddr) -> Option<bool> {
    let address = control.to_string();
    let asked = http::send(&address, Method::GET, "/upstreams", Value::Null);
    let answer: Value = serde_json::from_slice(&timeout(PATIENCE, asked).await.ok()?.ok()?.body).ok()?;
    let upstreams = answer["upstreams"].as_array()?;
    let mut replicas = upstreams.iter().flat_map(|upstream| upstream["replicas"].as_array().into_iter().flatten());
    Some(!upstreams.is_empty() && replicas.all(|replica| replica["state"] == "ready"))
}

/// `None` when nothing answers in time.
pub(super) async fn is_ready(admin: SocketAddr) -> Option<bool> {
    let address = admin.to_string();
    let asked = http::send(&address, Method::GET, "/readyz", Value::Null);
    let answer = timeout(PATIENCE, asked).await.ok()?.ok()?;
    Some(answer.status.is_success())
}
