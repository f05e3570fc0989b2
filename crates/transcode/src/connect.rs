//! Connect's unary calls: the body is the RPC's message and nothing else, and errors have a form of their own
//! (connectrpc.com, "Connect Protocol Reference").

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use bytes::Bytes;
use crm_proto::google::rpc;
use http::HeaderMap;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, prost_types::Any};
use serde_json::{Value, json};

use crate::{
    Limits, Request, RequestError, Rpc,
    binding::{self, Body},
    faults::Faults,
    json::{self, Defaults},
    key::{self, IDEMPOTENCY_KEY},
    request,
    spelling::Spelling,
};

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Proto3 JSON.
    Json,
    /// Their bytes.
    Proto,
}

/// Codes in words, by number.
const CODES: [&str; 17] = [
    "ok",
    "canceled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// The message, with the request id that a header may bring.
pub(crate) fn read(
    rpc: &Rpc,
    limits: &Limits,
    codec: Codec,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Request, RequestError> {
    let mut faults = Faults::new(limits.violations);
    let mut message = match codec {
        Codec::Json => read_json(rpc, limits, body, &mut faults),
        // Bytes go on as they are, unless something is to be added. What is no message is for the service to refuse.
        Codec::Proto => match headers.contains_key(IDEMPOTENCY_KEY).then(|| decode(rpc, body)).flatten() {
            Some(message) => message,
            None => return Ok(Request::of(Bytes::copy_from_slice(body))),
        },
    };
    let request_id = binding::find_request_id(&rpc.input);
    let key_in_header = key::fill(request_id.as_ref(), headers, &mut message, &mut faults);
    faults.finish().map(|()| Request { key_in_header, ..Request::of(message.encode_to_vec().into()) })
}

fn decode(rpc: &Rpc, bytes: &[u8]) -> Option<DynamicMessage> {
    DynamicMessage::decode(rpc.input.clone(), bytes).ok()
}

fn read_json(rpc: &Rpc, limits: &Limits, body: &[u8], faults: &mut Faults) -> DynamicMessage {
    match request::parse_json(body, limits, faults) {
        Some(json) => json::read_message(&rpc.input, &json, "", faults),
        None => DynamicMessage::new(rpc.input.clone()),
    }
}

/// A service's words with the names of JSON.
pub(crate) fn respell(rpc: &Rpc, request: &Request, message: &str, details: &[u8]) -> Option<(String, Vec<u8>)> {
    let request_id = binding::find_request_id(&rpc.input).filter(|_| request.key_in_header);
    let spelling =
        Spelling { input: &rpc.input, body: &Body::Whole, key_in_header: request_id.as_ref(), resumed: None };
    spelling.respell(message, details)
}

/// `{"code", "message", "details"}`; a code that is none of gRPC's is unknown.
pub(crate) fn error(pool: &DescriptorPool, code: i32, message: &str, details: &[u8]) -> Vec<u8> {
    let word = usize::try_from(code).ok().and_then(|code| CODES.get(code)).unwrap_or(&"unknown");
    let details = rpc::Status::decode(details).map(|status| status.details).unwrap_or_default();
    let details: Vec<Value> = details.iter().map(|any| detail(pool, any)).collect();
    json!({"code": word, "message": message, "details": details}).to_string().into_bytes()
}

/// Programs read the bytes; people read `debug`, where the type is known.
fn detail(pool: &DescriptorPool, any: &Any) -> Value {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let mut detail = json!({"type": name, "value": BASE64_STANDARD_NO_PAD.encode(&any.value)});
    if let Some(shown) = debug(pool, name, &any.value) {
        detail["debug"] = shown;
    }
    detail
}

fn debug(pool: &DescriptorPool, name: &str, bytes: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(pool.get_message_by_name(name)?, bytes).ok()?;
    let mut out = Vec::new();
    json::write_message(&mut out, &message, Defaults::Omit).ok()?;
    serde_json::from_slice(&out).ok()
}
