//! The admin port: alive, ready, measured.

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, counters};

/// `/healthz` answers while the process lives, `/readyz` until the drain begins.
pub(crate) fn router(app: Arc<App>, shutdown: CancellationToken) -> Router {
    let readiness = move || async move {
        if shutdown.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    let metrics = move || async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], counters::render(&app.counters, &app.store))
    };
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
}
