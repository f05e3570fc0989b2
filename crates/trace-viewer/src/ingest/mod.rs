//! OTLP in: `TraceService/Export` over gRPC, and `POST /v1/traces` with protobuf, on the same port.

mod convert;
mod receive;
mod values;
mod wire;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{self, Body},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::future::BoxFuture;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Status, server::Grpc, server::UnaryService};
use tonic_prost::ProstCodec;

pub(crate) use self::convert::Refusal;
use self::{
    receive::receive,
    wire::{ExportRequest, ExportResponse},
};
use crate::app::App;

/// Largest request read; exporters send 512 spans or so at a time.
const MAX_REQUEST_BYTES: usize = 4 << 20;
/// Requests read at the same time. With their size this bounds the memory that senders can claim.
const MAX_REQUESTS: usize = 4;
/// How long a request may take to arrive; a stuck sender must not hold one of the few places.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const PROTOBUF: &str = "application/x-protobuf";

#[derive(Clone)]
struct Receiver {
    app: Arc<App>,
    places: Arc<Semaphore>,
}

/// The routes of the OTLP port.
pub(crate) fn router(app: Arc<App>) -> Router {
    let receiver = Receiver { app, places: Arc::new(Semaphore::new(MAX_REQUESTS)) };
    Router::new()
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(export_grpc))
        .route("/v1/traces", post(export_http))
        .fallback(refuse_other)
        .with_state(receiver)
}

async fn export_grpc(State(receiver): State<Receiver>, request: Request) -> Response {
    let Ok(_place) = receiver.places.acquire().await else {
        return Status::unavailable("shutting down").into_http::<Body>();
    };
    let mut grpc = Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(MAX_REQUEST_BYTES), None);
    let answer = grpc.unary(Export(Arc::clone(&receiver.app)), request);
    match tokio::time::timeout(REQUEST_TIMEOUT, answer).await {
        Ok(response) => response.into_response(),
        Err(_) => Status::deadline_exceeded("the request did not arrive in time").into_http::<Body>(),
    }
}

struct Export(Arc<App>);

impl UnaryService<ExportRequest> for Export {
    type Response = ExportResponse;
    type Future = BoxFuture<'static, Result<tonic::Response<ExportResponse>, Status>>;

    fn call(&mut self, request: tonic::Request<ExportRequest>) -> Self::Future {
        let app = Arc::clone(&self.0);
        Box::pin(async move { Ok(tonic::Response::new(receive(&app, request.into_inner()).await)) })
    }
}

async fn export_http(State(receiver): State<Receiver>, request: Request) -> Response {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send traces uncompressed\n").into_response();
    }
    if request.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != PROTOBUF) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send traces as application/x-protobuf\n").into_response();
    }
    let Ok(_place) = receiver.places.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let body = body::to_bytes(request.into_body(), MAX_REQUEST_BYTES);
    let Ok(body) = tokio::time::timeout(REQUEST_TIMEOUT, body).await else {
        return StatusCode::REQUEST_TIMEOUT.into_response();
    };
    let Ok(body) = body else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    match ExportRequest::decode(body) {
        Ok(request) => answer_protobuf(&receive(&receiver.app, request).await),
        Err(error) => (StatusCode::BAD_REQUEST, format!("not an ExportTraceServiceRequest: {error}\n")).into_response(),
    }
}

fn answer_protobuf(response: &ExportResponse) -> Response {
    ([(header::CONTENT_TYPE, PROTOBUF)], response.encode_to_vec()).into_response()
}

/// Metrics and logs go elsewhere; their exporters understand "unimplemented" and stop.
async fn refuse_other(request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        return Status::unimplemented("the trace viewer takes traces only").into_http::<Body>();
    }
    (StatusCode::NOT_FOUND, "POST /v1/traces, or gRPC TraceService/Export\n").into_response()
}

#[cfg(test)]
mod tests;
