//! Whether a process is ready: it says so on its admin port.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::Method;
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

/// `None` when nothing answers in time.
pub(super) async fn is_ready(admin: SocketAddr) -> Option<bool> {
    let address = admin.to_string();
    let asked = http::send(&address, Method::GET, "/readyz", serde_json::Value::Null);
    let answer = timeout(PATIENCE, asked).await.ok()?.ok()?;
    Some(answer.status.is_success())
}
