//! The first decision about a request: whose protocol it speaks.

use http::{HeaderMap, Request, Response, header};
use tonic::body::Body;

use crate::{gateway::Gateway, grpc, rest};

/// Answers one request, whatever it is.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    if speaks_grpc(request.headers()) {
        return grpc::answer(gateway, request).await;
    }
    let page = gateway.pages.answer(&request, || gateway.home(host(&request)));
    match page {
        Some(page) => page,
        // In a box of its own: gRPC calls need not carry the room that its future takes.
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
