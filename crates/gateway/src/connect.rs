//! Connect's unary calls: an RPC's path, POST, and one message as JSON or as bytes (connectrpc.com, "Protocol Reference").
//!
//! Everything else is as over REST: the same checks, limits, shares and deadlines, and the same way to a replica.

mod call;
mod media;
mod metadata;
mod refusal;
mod timeout;

use std::{convert::Infallible, sync::Arc};

use crm_transcode::{Rpc, Transcoder};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::{Status, body::Body};
use tower::service_fn;

use self::call::Call;
use crate::{allowance, answer, gateway::Gateway, reasons, rest::Refusal, trace};

/// Whether a path is that of an RPC, known or not: `/package.Service/Method`. No route of REST has a dot there.
pub(crate) fn is_rpc(path: &str) -> bool {
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    parts.is_some_and(|(service, method)| service.contains('.') && !method.is_empty() && !method.contains('/'))
}

/// Answers a request to the path of an RPC, in whichever media type but those of gRPC.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    let rpc = gateway.transcoder.rpc(request.uri().path());
    // The port makes an answer of it.
    if rpc.is_some() && request.method() == Method::OPTIONS {
        return answer::not_allowed("POST");
    }
    let handler = service_fn(|request| serve(gateway, rpc, request));
    let response = gateway.guard(handler, request).await;
    let mut response = in_our_form(&gateway.transcoder, response);
    response.headers_mut().remove(Status::GRPC_STATUS);
    match (rpc, response.status()) {
        (Some(_), StatusCode::METHOD_NOT_ALLOWED) => {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            response
        }
        (Some(rpc), StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
            let accepted = HeaderValue::from_static(media::accepted(rpc));
            response.headers_mut().insert(HeaderName::from_static("accept-post"), accepted);
            response
        }
        _ => response,
    }
}

/// What a layer around the call has answered is gRPC's.
fn in_our_form(transcoder: &Transcoder, response: Response<Body>) -> Response<Body> {
    let is_grpc = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/grpc");
    match Status::from_header_map(response.headers()).filter(|_| is_grpc) {
        Some(status) => refusal::answer(transcoder, status.into()),
        None => response,
    }
}

async fn serve(
    gateway: &Gateway,
    rpc: Option<&Arc<Rpc>>,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let asked = timeout::read(request.headers()).ok().flatten();
    if let Some(rpc) = rpc {
        trace::note_rest(request.method(), &rpc.path);
    }
    let result = match find(gateway, rpc, &request) {
        Ok(call) => call.answer(request).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = result.unwrap_or_else(|refusal| refusal::answer(&gateway.transcoder, refusal));
    let named = allowance::named(&gateway.limits, rpc.map(|rpc| &**rpc), asked);
    allowance::name(response.headers_mut(), named);
    trace::note_status(response.status());
    if gateway.switches.trace_header.is_on() {
        trace::stamp(response.headers_mut());
    }
    Ok(response)
}

/// Who answers, and in which form; told before anybody is asked for a token, as of REST's routes.
fn find<'a>(gateway: &'a Gateway, rpc: Option<&'a Arc<Rpc>>, request: &Request<Body>) -> Result<Call<'a>, Refusal> {
    let missing = |status| Refusal::Http(StatusCode::NOT_FOUND, status);
    let routed = gateway.table.find(request.uri().path()).ok_or_else(|| missing(reasons::service_not_routed()))?;
    let rpc = rpc.ok_or_else(|| missing(reasons::unknown_method()))?;
    if request.method() != Method::POST {
        return Err(Refusal::Http(StatusCode::METHOD_NOT_ALLOWED, reasons::only_post()));
    }
    let refuse = |status| Refusal::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE, status);
    let codec = media::codec(rpc, request.headers()).map_err(refuse)?;
    Ok(Call { gateway, routed, rpc, codec })
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn paths_of_rpcs_are_told_from_those_of_rest() {
        for rpc in ["/crm.customers.v1.AccountService/GetAccount", "/a.B/C", "/a.b.Nope/Nope"] {
            assert!(is_rpc(rpc), "{rpc}");
        }
        for other in ["/v1/accounts/7", "/v1/accounts/a.b", "/", "/docs/a.js", "/a.B", "/a.B/", "/a.B/C/D", "/A/B", "x"]
        {
            assert!(!is_rpc(other), "{other}");
        }
    }

    /// As of a call in which a defect was found.
    #[tokio::test]
    async fn what_a_layer_around_has_refused_is_told_in_our_form() {
        let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).expect("descriptors");
        let told = in_our_form(&transcoder, Status::internal("a defect").into_http());
        assert_eq!(told.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(told.headers()["content-type"], "application/json");
        let body = told.into_body().collect().await.expect("body").to_bytes();
        assert_eq!(&body[..], br#"{"code":"internal","details":[],"message":"a defect"}"#);
    }
}
