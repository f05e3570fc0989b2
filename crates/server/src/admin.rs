//! The port for operators: is it alive, does it want calls, how is it doing. Not reachable for callers.

use std::future::ready;
use std::io;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::process::{ServerSettings, serve_routes};
use crate::readiness::Readiness;

/// Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/healthz` (200 while the process lives), `/readyz` (200 or 503), `/metrics`.
pub fn admin_routes(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| ready("ok\n")))
        .route("/readyz", get(move || ready(readyz(&readiness))))
        .route("/metrics", get(|| ready(([(header::CONTENT_TYPE, METRICS_TYPE)], crm_telemetry::metrics_text()))))
}

/// Serves [`admin_routes`] until `shutdown`. Ask for it last: what drains still wants to be watched.
pub async fn serve_admin(listener: TcpListener, readiness: Readiness, shutdown: CancellationToken) -> io::Result<()> {
    serve_routes(&ServerSettings::beside(), listener, admin_routes(readiness), shutdown).await
}

fn readyz(readiness: &Readiness) -> impl IntoResponse + use<> {
    if readiness.is_ready() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}
