//! The admin port: alive, ready, measured.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// `/healthz` answers while the process lives, `/readyz` until the drain begins.
pub(crate) fn router(_app: Arc<App>, shutdown: CancellationToken) -> Router {
    let readiness = move || async move {
        if shutdown.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(readiness))
}
