//! gRPC-Web: gRPC for those who see no trailers, which are browsers (grpc's doc/PROTOCOL-WEB.md).
//!
//! A call becomes one of gRPC over HTTP/2 and takes its way. What comes back is the same bytes, with the trailers as a last
//! frame of the body; in the form for text, all of it in base64.

mod kind;
mod shown;
mod text;

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tonic::{Status, body::Body};

use self::{kind::Kind, shown::Shown, text::Decoded};
use crate::{answer, gateway::Gateway, grpc, headers, reasons};

pub(crate) use kind::{ACCEPTED, is_web};

/// What describes the body as it came, or asks for the form of the answer.
const OF_THE_FORM: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::HOST,
    header::EXPECT,
];

/// Answers one call of gRPC-Web.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    let Some(kind) = Kind::of_request(request.headers()) else { return refuse_kind() };
    if request.method() != Method::POST {
        return answer::not_allowed("POST");
    }
    let wanted = kind.wanted(request.headers());
    let response = match headers::is_compressed(request.headers()) {
        true => Status::into_http(reasons::unsupported_encoding()),
        false => grpc::answer(gateway, as_grpc(request, kind)).await,
    };
    show(response, wanted)
}

/// Which is not told as gRPC: such a caller may not read it either.
fn refuse_kind() -> Response<Body> {
    let mut response = answer::text("of gRPC-Web, messages of protobuf are spoken here; Accept-Post names the types\n");
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let accepted = HeaderValue::from_static(ACCEPTED);
    response.headers_mut().insert(HeaderName::from_static("accept-post"), accepted);
    response
}

fn as_grpc(request: Request<Body>, kind: Kind) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    for name in &OF_THE_FORM {
        parts.headers.remove(name);
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    parts.version = Version::HTTP_2;
    let body = if kind == Kind::Text { Body::new(Decoded::new(body)) } else { body };
    Request::from_parts(parts, body)
}

/// Headers that hold a status stay as they are: there is nothing behind them.
fn show(response: Response<Body>, kind: Kind) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let is_grpc =
        parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc {
        return Response::from_parts(parts, body);
    }
    parts.version = Version::default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.content_type()));
    let body = if parts.headers.contains_key(Status::GRPC_STATUS) { body } else { Body::new(Shown::new(body, kind)) };
    Response::from_parts(parts, body)
}
