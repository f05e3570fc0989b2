//! OTLP in: `TraceService/Export` over gRPC, and `POST /v1/traces` with protobuf or JSON, on the same port.

mod arrivals;
mod body;
mod convert;
mod cors;
mod grpc;
mod http;
mod json;
mod receive;
mod request_error;
mod values;
mod wire;

use std::sync::Arc;

use axum::{Router, extract::Request, middleware, response::Response, routing::post};

use self::{body::Bounds, request_error::RequestError};
use crate::app::App;

#[derive(Clone)]
struct Receiver {
    app: Arc<App>,
    bounds: Bounds,
    /// The port is for this machine alone.
    is_local: bool,
}

/// The routes of the OTLP ports; they share the bounds of what is taken in.
#[derive(Clone)]
pub(crate) struct Ingest {
    app: Arc<App>,
    bounds: Bounds,
}

impl Ingest {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app, bounds: Bounds::new() }
    }

    /// The routes of one port.
    pub(crate) fn router(self, is_local: bool) -> Router {
        let receiver = Receiver { app: self.app, bounds: self.bounds, is_local };
        let cors = middleware::from_fn_with_state(Arc::clone(&receiver.app), cors::answer);
        Router::new()
            .route("/v1/traces", post(http::export).layer(cors))
            .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(grpc::export))
            .fallback(refuse_other)
            .with_state(receiver)
    }
}

/// Metrics and logs go elsewhere; their exporters understand "unimplemented" and stop.
async fn refuse_other(request: Request) -> Response {
    if grpc::is_grpc(request.headers()) {
        return grpc::refuse(&RequestError::Elsewhere);
    }
    http::refuse(&RequestError::Elsewhere, http::Media::of(request.headers()))
}

#[cfg(test)]
mod tests;
