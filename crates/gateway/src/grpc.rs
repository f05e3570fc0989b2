//! gRPC as it comes: the head of a call is read, its messages never.

pub(crate) mod deflate;
mod encoding;
pub(crate) mod inflate;
mod upload;

use std::convert::Infallible;

use crm_server::shares;
use crm_telemetry::rpc::read_timeout;
use crm_transcode::Rpc;
use http::{Request, Response, StatusCode, Version};
use tonic::{Status, body::Body};
use tower::service_fn;

use crate::{allowance, answer, call, gateway::Gateway, headers, pace::Paced, reasons, trace};

/// Answers one gRPC call.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    if let Some(refusal) = refuse_dialect(&request) {
        return refusal;
    }
    // As gRPC's own servers say it: whoever asks so speaks HTTP and no more.
    if request.method() != http::Method::POST {
        return answer::not_allowed("POST");
    }
    if gateway.own.answers(request.uri().path()) {
        return gateway.own.call(request).await;
    }
    let handler = service_fn(|request| forward(gateway, request));
    gateway.guard(handler, request).await
}

async fn forward(gateway: &Gateway, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let rpc = gateway.transcoder.rpc(request.uri().path()).map(|rpc| &**rpc);
    let asked = read_timeout(request.headers()).ok().flatten();
    let mut response = route(gateway, rpc, request).await.unwrap_or_else(Status::into_http);
    allowance::name(response.headers_mut(), allowance::named(&gateway.limits, rpc, asked));
    if gateway.switches.trace_header.is_on() {
        trace::stamp(response.headers_mut());
    }
    Ok(response)
}

async fn route(gateway: &Gateway, rpc: Option<&Rpc>, request: Request<Body>) -> Result<Response<Body>, Status> {
    headers::check_head(&request, gateway.max_header_bytes)?;
    headers::check_single(request.headers())?;
    let routed = gateway.table.find(request.uri().path()).ok_or_else(reasons::service_not_routed)?;
    let caller = gateway.access.admit(routed, rpc, request.headers())?;
    let takes_gzip = gateway.switches.compression.is_on() && encoding::takes_gzip(request.headers());
    let is_one_message = rpc.is_some_and(|rpc| !rpc.client_streaming);
    let response = if is_one_message {
        // What it takes up is free again when the answer begins: the replica has read the request by then.
        let (request, _held) = upload::take_in(&gateway.intake, &gateway.limits, caller.holder, request).await?;
        call::send(gateway, routed, rpc, &caller, request).await?
    } else {
        call::send(gateway, routed, rpc, &caller, request).await?
    };
    let may_stream = rpc.is_none_or(|rpc| rpc.server_streaming);
    let pace = gateway.limits.pace;
    let response = if may_stream { response.map(|body| Body::new(Paced::new(body, pace))) } else { response };
    // Outside the pace, which is that of what the service says, however few bytes it becomes.
    let packs = takes_gzip && is_one_message;
    let response = if packs { gateway.packer.pack(response, caller.holder) } else { response };
    Ok(shares::hold(response, Some(caller.place)))
}

/// Told over HTTP, which is what such a caller reads: without HTTP/2 there are no trailers to hold a status.
fn refuse_dialect(request: &Request<Body>) -> Option<Response<Body>> {
    if request.version() >= Version::HTTP_2 {
        return None;
    }
    let mut response = answer::text("gRPC needs HTTP/2: connect with prior knowledge (h2c), or speak gRPC-Web\n");
    *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    Some(response)
}
