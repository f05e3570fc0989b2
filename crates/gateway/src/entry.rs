//! The first decision about a request: whose protocol it speaks.

use http::{HeaderMap, Request, Response, header};
use tonic::body::Body;

use crate::{connect, cors, gateway::Gateway, grpc, rest, web};

/// Answers one request, whatever it is, so that a page of a configured origin may read the answer.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    cors::answer(&gateway.origins, request, |request| answer_plainly(gateway, request)).await
}

/// All but gRPC in boxes of their own: its calls need not carry the room that the others' futures take.
async fn answer_plainly(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    if web::is_web(request.headers()) {
        return Box::pin(web::answer(gateway, request)).await;
    }
    if speaks_grpc(request.headers()) {
        return grpc::answer(gateway, request).await;
    }
    if connect::is_rpc(request.uri().path()) {
        return Box::pin(connect::answer(gateway, request)).await;
    }
    let page = gateway.pages.answer(&request, || gateway.home(host(&request)));
    match page {
        Some(page) => page,
        None => Box::pin(rest::answer(gateway, request)).await,
    }
}

fn speaks_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Under which name the caller reached the gateway; printed into the start page, which escapes it.
fn host<B>(request: &Request<B>) -> &str {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let header = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    authority.or_else(header).unwrap_or("localhost")
}
