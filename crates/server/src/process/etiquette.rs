//! What HTTP asks of every answer, whoever gives it: one place for all ports.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use tonic::body::Body;
use tower::ServiceExt;

use super::silence::Call;
use super::unread::{self, Outgoing};
use super::{arriving, header_limit};
use crate::host;
use crate::problem::{DOMAIN, Violation};
use crate::stack::BoxService;

/// What some resource here takes: the answer to `OPTIONS *`.
const ALL_METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// What bounds one request and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How long an answer may wait for a peer that takes nothing of it.
    pub(super) stall: Duration,
    /// All headers of a call.
    pub(super) most_header_bytes: u32,
}

/// Answers one request by the service, or for it.
pub(super) async fn answer(
    service: BoxService,
    request: Request<Incoming>,
    call: Call,
    bounds: Bounds,
) -> Result<Response<Outgoing>, Infallible> {
    let (version, method) = (request.version(), request.method().clone());
    let (request, rest) = arriving::watch(request);
    let mut response = match host::check(&request) {
        Err(violation) => refuse(&violation),
        Ok(()) if method == Method::OPTIONS && request.uri().path() == "*" => allow(ALL_METHODS),
        Ok(()) => match header_limit::refuse(&request, bounds.most_header_bytes) {
            Some(refused) => refused,
            None => service.oneshot(request).await?,
        },
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = name_methods(response, &method);
    }
    if method == Method::HEAD && version >= Version::HTTP_2 {
        response = head_alone(response);
    }
    if version < Version::HTTP_2 && !rest.has_ended().await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        call.leave_unread();
    }
    Ok(unread::watch(response, bounds.stall, call))
}

fn refuse(violation: &Violation) -> Response<Body> {
    let Violation { field, description, reason } = violation;
    let json = serde_json::json!({
        "code": i32::from(tonic::Code::InvalidArgument),
        "message": format!("invalid: {field}"),
        "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": DOMAIN},
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": field, "description": description, "reason": reason}],
            },
        ],
    });
    let mut response = Response::new(Body::new(Full::new(Bytes::from(json.to_string()))));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn allow(methods: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().extend(HeaderValue::try_from(methods).ok().map(|methods| (header::ALLOW, methods)));
    response
}

/// Routes name the methods that they were given; `HEAD` goes with `GET`, and `OPTIONS` is answered everywhere, by this.
fn name_methods(mut refused: Response<Body>, method: &Method) -> Response<Body> {
    let lines = refused.headers().get_all(header::ALLOW).iter().filter_map(|line| line.to_str().ok());
    let mut methods: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.retain(|method| !method.is_empty());
    methods.sort_unstable();
    methods.dedup();
    let methods = methods.join(", ");
    if method == Method::OPTIONS {
        refused = without_body(refused);
    }
    if let Ok(methods) = HeaderValue::try_from(methods) {
        refused.headers_mut().insert(header::ALLOW, methods);
    }
    refused
}

/// What else was said stays, such as whose pages may read it.
fn without_body(mut refused: Response<Body>) -> Response<Body> {
    *refused.status_mut() = StatusCode::NO_CONTENT;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        refused.headers_mut().remove(name);
    }
    refused.map(|_| Body::empty())
}

/// hyper leaves out the body of an answer to `HEAD` over HTTP/1 only.
fn head_alone(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.map(|_| Body::empty())
}
