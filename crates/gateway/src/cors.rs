//! Pages of other origins may call and read answers if whoever runs the gateway has named them, and no others (CORS).
//!
//! Outside of everything else: a refusal can be read as well as an answer, and what a browser asks beforehand has no token.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;

use crate::{answer, config::Origins};

/// How long a browser may remember what it has asked beforehand, in seconds: as long as browsers do at most.
const MAX_AGE: &str = "7200";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What clients of REST, gRPC-Web, Connect and W3C's trace context send. What else a page asks for is metadata of its call.
const HEADERS: &str = "authorization, content-type, accept, x-grpc-web, x-user-agent, grpc-timeout, grpc-encoding, \
    grpc-accept-encoding, connect-protocol-version, connect-timeout-ms, x-crm-timeout, x-crm-priority, idempotency-key, \
    if-match, if-none-match, last-event-id, traceparent, tracestate, baggage";
/// What those clients read; an answer's other headers are named when it has them.
const EXPOSED: &str = "etag, grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding, x-trace-id, traceresponse, \
    x-crm-timeout, retry-after, www-authenticate, allow, accept-post, content-encoding";
const BEFOREHAND: &str = "access-control-request-method, access-control-request-headers";

/// Answers what a browser asks beforehand, and lets a page of one of the origins read what `next` answers.
pub(crate) async fn answer(
    origins: &Origins,
    request: Request<Body>,
    next: impl AsyncFnOnce(Request<Body>) -> Response<Body>,
) -> Response<Body> {
    if origins.is_empty() {
        return next(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).filter(|origin| origins.contains(origin)).cloned();
    let asks = origin.is_some() && is_asked_beforehand(&request);
    let mut response = if asks { allow(request.headers()) } else { next(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        let exposed = if asks { None } else { exposed(headers) };
        headers.extend(exposed.map(|exposed| (header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed)));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // Never together with a wildcard: origins are named one by one.
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

fn is_asked_beforehand(request: &Request<Body>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whatever the path is: what the call itself is answered, the page may read.
fn allow(asked: &HeaderMap) -> Response<Body> {
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static(BEFOREHAND));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.extend(allowed(asked).map(|allowed| (header::ACCESS_CONTROL_ALLOW_HEADERS, allowed)));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    response
}

/// The names that clients know, and those that this page asks for.
fn allowed(asked: &HeaderMap) -> Option<HeaderValue> {
    let asked = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|line| line.to_str().ok());
    let asked = asked.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let asked = asked.filter(|name| !HEADERS.split(", ").any(|known| known == name));
    join(HEADERS, asked)
}

fn join(known: &'static str, others: impl Iterator<Item = String>) -> Option<HeaderValue> {
    let names: Vec<String> = std::iter::once(known.to_owned()).chain(others).collect();
    HeaderValue::try_from(names.join(", ")).ok()
}

/// The names that clients know, and those of metadata that this answer has.
fn exposed(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_known = |name: &HeaderName| EXPOSED.split(", ").any(|known| known == name.as_str());
    let is_hidden = |name: &HeaderName| *name == header::VARY || *name == header::SET_COOKIE;
    let others = headers.keys().filter(|name| !is_known(name) && !is_hidden(name));
    join(EXPOSED, others.map(|name| name.as_str().to_owned()))
}
