//! gRPC as it comes: the head of a call is read, its messages never.

mod own;
mod upload;

use std::convert::Infallible;

use http::{Request, Response, StatusCode, Version, header};
use tonic::{Status, body::Body};
use tower::service_fn;

pub(crate) use own::OwnServices;
pub use own::ReflectionError;

use crate::{answer, call, gateway::Gateway, headers, reasons, trace};

/// Answers one gRPC call.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    if let Some(refusal) = refuse_dialect(&request) {
        return refusal;
    }
    if gateway.own.answers(request.uri().path()) {
        return gateway.own.call(request).await;
    }
    let handler = service_fn(|request| forward(gateway, request));
    gateway.guard(handler, request).await
}

async fn forward(gateway: &Gateway, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let mut response = route(gateway, request).await.unwrap_or_else(Status::into_http);
    if gateway.switches.trace_header.is_on() {
        trace::stamp(response.headers_mut());
    }
    Ok(response)
}

async fn route(gateway: &Gateway, request: Request<Body>) -> Result<Response<Body>, Status> {
    headers::check_length(request.headers(), gateway.max_header_bytes)?;
    headers::check_single(request.headers())?;
    let path = request.uri().path();
    let routed = gateway.table.find(path).ok_or_else(reasons::service_not_routed)?;
    let rpc = gateway.transcoder.rpc(path).map(|rpc| &**rpc);
    let claims = gateway.access.admit(routed, rpc, request.headers())?;
    let is_one_message = rpc.is_some_and(|rpc| !rpc.client_streaming);
    // What it took up is free again when the answer begins: the replica has read the request by then.
    let (request, _held) = if is_one_message { upload::take_in(gateway, request).await? } else { (request, None) };
    call::send(gateway, routed, rpc, claims.as_deref(), request).await
}

/// Both are told over HTTP, which is what such a caller reads: without HTTP/2 there are no trailers to hold a status.
fn refuse_dialect(request: &Request<Body>) -> Option<Response<Body>> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.as_bytes();
    if kind.starts_with(b"application/grpc-web") {
        let mut response = answer::text("gRPC-Web is not spoken here: use gRPC over HTTP/2, or REST with JSON\n");
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(response);
    }
    if request.version() < Version::HTTP_2 {
        let mut response = answer::text("gRPC needs HTTP/2: connect with prior knowledge (h2c)\n");
        *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
        return Some(response);
    }
    None
}
