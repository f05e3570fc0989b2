//! gRPC's status: out of headers or trailers, to HTTP, to JSON.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use crm_proto::google::rpc;
use http::{HeaderMap, StatusCode};
use prost::Message;
use prost_reflect::{DescriptorPool, prost_types::Any};

use crate::{RequestError, RouteError, json, percent};

/// `ErrorInfo.domain` of the errors made here.
pub const ERROR_DOMAIN: &str = "bellwether";

/// Peers send base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const UNIMPLEMENTED: i32 = 12;

/// How a call ended, as the `grpc-status` family of headers or trailers says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    /// A `google.rpc.Code`; 2 (unknown) if the peer sent no number.
    pub code: i32,
    /// `grpc-message`, percent-decoded.
    pub message: String,
    /// `grpc-status-details-bin`, out of base64: an encoded `google.rpc.Status`, or empty.
    pub details: Vec<u8>,
}

impl GrpcStatus {
    /// Reads headers or trailers; `None` if they hold no `grpc-status`.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok().and_then(|code| code.trim().parse().ok()).unwrap_or(2);
        let message = headers.get("grpc-message").map(|text| String::from_utf8_lossy(text.as_bytes()));
        let details = headers.get("grpc-status-details-bin").and_then(|text| BASE64.decode(text.as_bytes()).ok());
        Some(Self {
            code,
            message: message.map(|text| percent::decode_lossy(&text)).unwrap_or_default(),
            details: details.unwrap_or_default(),
        })
    }
}

/// The HTTP status of a `google.rpc.Code`, as `google/rpc/code.proto` lists them; unknown codes are 500.
pub fn http_status(code: i32) -> StatusCode {
    let status = match code {
        0 => 200,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// `{"code", "message", "details"}`; details that cannot be read are left out.
pub(crate) fn to_json(pool: &DescriptorPool, code: i32, message: &str, details: &[u8]) -> Vec<u8> {
    let details = rpc::Status::decode(details).map(|status| status.details).unwrap_or_default();
    let details: Vec<_> = details.iter().filter_map(|any| any_json(pool, &any.type_url, &any.value)).collect();
    let message = serde_json::Value::from(message);
    format!("{{\"code\":{code},\"message\":{message},\"details\":[{}]}}", details.join(",")).into_bytes()
}

fn any_json(pool: &DescriptorPool, type_url: &str, value: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    json::write_any(&mut out, pool, type_url, value).ok()?;
    String::from_utf8(out).ok()
}

impl RequestError {
    /// The error as every protocol says it.
    pub fn status(&self) -> GrpcStatus {
        let (_, code, message, details) = of_request_error(self);
        GrpcStatus { code, message: message.to_owned(), details }
    }
}

/// The encoded `google.rpc.Status` of a request that does not fit, with its HTTP status and message.
pub(crate) fn of_request_error(error: &RequestError) -> (StatusCode, i32, &'static str, Vec<u8>) {
    let reason = error.reason();
    let http = if reason == "BODY_TOO_LARGE" { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
    let field_violations = error.violations.iter().map(|one| rpc::bad_request::FieldViolation {
        field: one.field.clone(),
        description: one.description.clone(),
        reason: one.reason.to_owned(),
    });
    let bad_request = rpc::BadRequest { field_violations: field_violations.collect() };
    let details = [any("BadRequest", &bad_request), error_info(reason)];
    (http, INVALID_ARGUMENT, "the request is not valid", details_of(details))
}

/// The same for a request without a route.
pub(crate) fn of_route_error(error: &RouteError) -> (StatusCode, i32, &'static str, Vec<u8>) {
    let (http, code, message, reason) = match error {
        RouteError::NotFound => (StatusCode::NOT_FOUND, NOT_FOUND, "no such route", "ROUTE_NOT_FOUND"),
        RouteError::MethodNotAllowed { .. } => {
            let http = StatusCode::METHOD_NOT_ALLOWED;
            (http, UNIMPLEMENTED, "this path has no such method", "METHOD_NOT_ALLOWED")
        }
    };
    (http, code, message, details_of([error_info(reason)]))
}

fn error_info(reason: &str) -> Any {
    let info =
        rpc::ErrorInfo { reason: reason.to_owned(), domain: ERROR_DOMAIN.to_owned(), ..rpc::ErrorInfo::default() };
    any("ErrorInfo", &info)
}

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

fn details_of<const N: usize>(details: [Any; N]) -> Vec<u8> {
    rpc::Status { details: details.into(), ..rpc::Status::default() }.encode_to_vec()
}
