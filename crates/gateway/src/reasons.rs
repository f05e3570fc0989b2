//! Every error that the gateway makes itself: its code, its reason and its words, in one place.

use std::{fmt::Display, time::Duration};

use crm_server::problem::{Problem, Violation};
use tonic::{Code, Status, metadata::MetadataValue};

use crate::timeout::TIMEOUT;

/// Machine-readable reasons (`ErrorInfo.reason`) of the gateway's own errors, and when each is given.
pub const REASONS: &[(&str, &str)] = &[
    (SERVICE_NOT_ROUTED, "no upstream of this gateway answers the service that was called"),
    (DEADLINE_EXCEEDED, "the call's time was over before the answer was whole"),
    (OVERLOADED, "the gateway has as many calls in flight, or as many bytes of messages, as it accepts"),
    (STREAM_TOO_SLOW, "the stream was read more slowly than its proto says that it must be"),
    (INVALID_HEADER, "a header that the gateway reads has no valid value; the violation names it"),
    (ETAG_MISMATCH, "the resource is in another state than `If-Match` names"),
    (BODY_TOO_LARGE, "the request's body is longer than the gateway accepts"),
    (HEADERS_TOO_LARGE, "the request's headers are longer than services accept"),
    (COMPRESSION_UNSUPPORTED, "messages are packed, and not with gzip, or a body of Connect or gRPC-Web as a whole"),
    (ANSWER_UNREADABLE, "the service's answer is no answer of the RPC, or has no JSON form"),
    (MESSAGE_MALFORMED, "the body of a call over gRPC-Web is not the base64 that its content type says"),
    (METHOD_UNKNOWN, "the service that was called over Connect has no such method"),
    (METHOD_NOT_ALLOWED, "the path of an RPC was called by another HTTP method than POST"),
    (INVALID_CHANGE, "the body of a call to the control API is not what it takes; the violation says why"),
    (UNKNOWN_UPSTREAM, "the control API knows no upstream of this name"),
    (UNKNOWN_REPLICA, "the upstream has no replica of this number"),
    (FAULTS_OFF, "this gateway is not set up to break replicas"),
    (FAULTS_NOT_OFFERED, "the replica does not let itself be broken"),
    (REPLICA_SILENT, "the replica does not answer the control API; it may be down or stopped"),
    (UNKNOWN_SWITCH, "the control API knows no switch of this name"),
    (UNKNOWN_ROUTE, "the control API has no such path, or not for this method"),
    (FOREIGN_HOST, "the control API was called by a name that a foreign web page could have"),
];

const SERVICE_NOT_ROUTED: &str = "SERVICE_NOT_ROUTED";
const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
const OVERLOADED: &str = "OVERLOADED";
const STREAM_TOO_SLOW: &str = "STREAM_TOO_SLOW";
/// By which every service says so, of what it cannot unpack.
const COMPRESSION_UNSUPPORTED: &str = "COMPRESSION_UNSUPPORTED";
const INVALID_HEADER: &str = "INVALID_HEADER";
/// By which every service says so (docs/errors.md), and the gateway itself of what it has read.
pub(crate) const ETAG_MISMATCH: &str = "ETAG_MISMATCH";
const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
const HEADERS_TOO_LARGE: &str = "HEADERS_TOO_LARGE";
const ANSWER_UNREADABLE: &str = "ANSWER_UNREADABLE";
/// These as others say them.
const MESSAGE_MALFORMED: &str = "MESSAGE_MALFORMED";
const METHOD_UNKNOWN: &str = "METHOD_UNKNOWN";
const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
const INVALID_CHANGE: &str = "INVALID_CHANGE";
const UNKNOWN_UPSTREAM: &str = "UNKNOWN_UPSTREAM";
const UNKNOWN_REPLICA: &str = "UNKNOWN_REPLICA";
const FAULTS_OFF: &str = "FAULTS_OFF";
const FAULTS_NOT_OFFERED: &str = "FAULTS_NOT_OFFERED";
const REPLICA_SILENT: &str = "REPLICA_SILENT";
const UNKNOWN_SWITCH: &str = "UNKNOWN_SWITCH";
const UNKNOWN_ROUTE: &str = "UNKNOWN_ROUTE";
const FOREIGN_HOST: &str = "FOREIGN_HOST";

pub(crate) fn too_many_own_calls() -> Status {
    let problem = Problem::new(Code::ResourceExhausted, OVERLOADED, "too many calls of the gateway's own services");
    problem.with_retry_delay(Duration::from_secs(1)).into()
}

pub(crate) fn service_not_routed() -> Status {
    Problem::new(Code::Unimplemented, SERVICE_NOT_ROUTED, "no upstream of this gateway answers this service").into()
}

pub(crate) fn deadline_exceeded() -> Status {
    Problem::new(Code::DeadlineExceeded, DEADLINE_EXCEEDED, "the call took longer than its deadline allows").into()
}

pub(crate) fn read_too_slowly(bytes_per_second: u64, over: Duration) -> Status {
    let message = format!("the stream was read more slowly than {bytes_per_second} bytes a second over {over:?}");
    let problem = Problem::new(Code::Aborted, STREAM_TOO_SLOW, message);
    problem.with_metadata("bytes_per_second", bytes_per_second.to_string()).into()
}

pub(crate) fn unknown_encoding() -> Status {
    let message = "grpc-encoding is neither gzip nor identity";
    let mut status = Status::from(Problem::new(Code::Unimplemented, COMPRESSION_UNSUPPORTED, message).of_the_call());
    status.metadata_mut().insert("grpc-accept-encoding", MetadataValue::from_static("identity,gzip"));
    status
}

pub(crate) fn body_too_large(limit: usize) -> Status {
    let message = format!("the body is longer than {limit} bytes");
    violation(BODY_TOO_LARGE, "body", message)
}

pub(crate) fn precondition_failed() -> Status {
    Problem::new(Code::Aborted, ETAG_MISMATCH, "the resource is in none of the states that If-Match names").into()
}

pub(crate) fn headers_too_large(limit: usize) -> Status {
    let message = format!("the headers are longer than {limit} bytes, counting 32 for each");
    Problem::new(Code::InvalidArgument, HEADERS_TOO_LARGE, message).into()
}

pub(crate) fn compressed_body() -> Status {
    violation(
        INVALID_HEADER,
        "content-encoding",
        "must be left out, or be identity: bodies are taken as they are".to_owned(),
    )
}

pub(crate) fn other_media() -> Status {
    let taken = "must be application/json, in utf-8; for curl -d that is -H 'content-type: application/json'";
    violation(INVALID_HEADER, "content-type", taken.to_owned())
}

pub(crate) fn invalid_timeout() -> Status {
    violation(INVALID_HEADER, TIMEOUT, "must be a whole number with a unit, such as 500ms, 2s or 1m".to_owned())
}

pub(crate) fn invalid_connect_timeout() -> Status {
    violation(INVALID_HEADER, "connect-timeout-ms", "must be 1 to 10 digits: milliseconds, and not zero".to_owned())
}

pub(crate) fn unknown_connect_version() -> Status {
    violation(INVALID_HEADER, "connect-protocol-version", "must be 1".to_owned())
}

pub(crate) fn unsupported_encoding() -> Status {
    let message = "the body is compressed; supported content-encoding: identity";
    Problem::new(Code::Unimplemented, COMPRESSION_UNSUPPORTED, message).of_the_call().into()
}

pub(crate) fn unsupported_codec() -> Status {
    violation(INVALID_HEADER, "content-type", "must be application/json, in utf-8, or application/proto".to_owned())
}

pub(crate) fn unsupported_stream() -> Status {
    let message = "this method streams: call it over gRPC, gRPC-Web or REST";
    Problem::new(Code::Unimplemented, INVALID_HEADER, message).of_the_call().into()
}

pub(crate) fn unknown_method() -> Status {
    Problem::new(Code::Unimplemented, METHOD_UNKNOWN, "the service has no such method").of_the_call().into()
}

pub(crate) fn only_post() -> Status {
    Problem::new(Code::Unimplemented, METHOD_NOT_ALLOWED, "an RPC is called by POST").of_the_call().into()
}

pub(crate) fn malformed_text() -> Status {
    Problem::new(Code::InvalidArgument, MESSAGE_MALFORMED, "the body is not base64").into()
}

pub(crate) fn unreadable_answer(error: impl Display) -> Status {
    Problem::new(Code::Internal, ANSWER_UNREADABLE, format!("the service's answer cannot be shown: {error}")).into()
}

pub(crate) fn answer_without_status() -> Status {
    unreadable_answer("it ended without a status")
}

pub(crate) fn answer_without_message() -> Status {
    unreadable_answer("it holds no message")
}

pub(crate) fn malformed_change(fault: String) -> Status {
    violation(INVALID_CHANGE, "body", fault)
}

pub(crate) fn invalid_field(field: &str, fault: &impl Display) -> Status {
    violation(INVALID_CHANGE, field, fault.to_string())
}

pub(crate) fn unknown_upstream() -> Status {
    Problem::new(Code::NotFound, UNKNOWN_UPSTREAM, "no upstream of this name; GET /upstreams lists them").into()
}

pub(crate) fn unknown_replica() -> Status {
    Problem::new(Code::NotFound, UNKNOWN_REPLICA, "no replica of this number; GET /upstreams lists them").into()
}

pub(crate) fn faults_off() -> Status {
    let message = "this gateway is not set up to break replicas; CRM_FAULTS=on allows it, never in production";
    Problem::new(Code::FailedPrecondition, FAULTS_OFF, message).into()
}

pub(crate) fn faults_not_offered() -> Status {
    let message = "it does not let itself be broken; CRM_FAULTS=on in its environment allows it, never in production";
    Problem::new(Code::FailedPrecondition, FAULTS_NOT_OFFERED, message).into()
}

pub(crate) fn replica_silent() -> Status {
    Problem::new(Code::Unavailable, REPLICA_SILENT, "it does not answer; it may be down or stopped").into()
}

pub(crate) fn invalid_change(violations: Vec<Violation>) -> Status {
    Problem::invalid(INVALID_CHANGE, violations).into()
}

pub(crate) fn unknown_switch() -> Status {
    Problem::new(Code::NotFound, UNKNOWN_SWITCH, "no switch of this name; GET /switches lists them").into()
}

pub(crate) fn unknown_control_route() -> Status {
    Problem::new(Code::NotFound, UNKNOWN_ROUTE, "the control API has /upstreams, /switches and /events").into()
}

pub(crate) fn wrong_control_method() -> Status {
    Problem::new(Code::Unimplemented, UNKNOWN_ROUTE, "this path is there for other methods").into()
}

pub(crate) fn foreign_host() -> Status {
    let message = "call the control API by an address, as localhost, or by a name without dots";
    Problem::new(Code::PermissionDenied, FOREIGN_HOST, message).into()
}

fn violation(reason: &'static str, field: &str, description: String) -> Status {
    Problem::invalid(reason, vec![Violation::new(field, reason, description)]).into()
}
