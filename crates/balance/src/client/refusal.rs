//! The answers that the stack gives itself, each with a reason that programs can tell apart.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Every reason that this crate puts into `google.rpc.ErrorInfo`, and when.
pub const REASONS: &[(&str, &str)] = &[
    (NO_REPLICA, "No replica of the service can take a call now."),
    (DEADLINE, "The call's deadline passed before the service answered."),
    (TIMEOUT_MALFORMED, "The `grpc-timeout` header is not 1 to 8 digits and a unit (H, M, S, m, u, n)."),
    (
        OVERLOADED,
        "More calls are in flight than the service answers in good time; `grpc-retry-pushback-ms` says when to come again.",
    ),
    (SHARE_TAKEN, "The tenant has as many calls in flight as one may have while others need the rest."),
    (
        CONNECTION_LOST,
        "The connection to the replica broke before the answer was whole; whether it did the work is not known, and a stream goes on from the last of its cursors.",
    ),
    (CALL_RESET, "The replica broke off this call."),
    (NOT_SENT, "The replicas that were tried closed their connections before taking the call; it was not processed."),
    (ATTEMPT_TIMEOUT, "A replica did not answer within the time for one attempt, and no further attempt was due."),
];

pub(super) const NO_REPLICA: &str = "NO_REPLICA_AVAILABLE";
pub(super) const DEADLINE: &str = "DEADLINE_EXCEEDED";
pub(super) const TIMEOUT_MALFORMED: &str = "TIMEOUT_MALFORMED";
pub(super) const OVERLOADED: &str = "UPSTREAM_OVERLOADED";
pub(super) const SHARE_TAKEN: &str = crm_shares::TENANT_SHARE_TAKEN;
pub(super) const CONNECTION_LOST: &str = "CONNECTION_LOST";
pub(super) const CALL_RESET: &str = "CALL_RESET";
pub(super) const NOT_SENT: &str = "NOT_SENT";
pub(super) const ATTEMPT_TIMEOUT: &str = "ATTEMPT_TIMEOUT";

/// Metadata by which a server tells when to retry (gRFC A6); negative: do not.
pub(super) const PUSHBACK: &str = "grpc-retry-pushback-ms";

const PASSED_ON: &str = "-1";

pub(super) fn refuse(code: Code, reason: &'static str, message: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, "bellwether", HashMap::new());
    Status::with_error_details(code, message, details)
}

/// Too much for now, with advice on when to come again, for people and for programs.
pub(super) fn refuse_for_now(reason: &'static str, message: impl Into<String>, after: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "bellwether", HashMap::new());
    details.set_retry_info(Some(after));
    let mut status = Status::with_error_details(Code::ResourceExhausted, message, details);
    let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    status.metadata_mut().insert(PUSHBACK, MetadataValue::from(millis));
    status
}

/// Says how long the call had: a caller that asked for more than it may have finds out here at the latest.
/// Marked as passed on: who serves the caller is not to blame for what it waited for.
pub(super) fn exceeded(given: Duration) -> Status {
    // What is left of a round number is nearly one; what is left of anything is not said to be nothing.
    let least = u64::from(!given.is_zero());
    let given = Duration::from_millis(u64::try_from((given.as_micros() + 500) / 1000).unwrap_or(u64::MAX).max(least));
    let message = format!("the call took longer than the {given:?} that it had");
    pass_on(refuse(Code::DeadlineExceeded, DEADLINE, message))
}

/// The end of an answer that broke off, for whoever has read a part of it.
pub(super) fn broken_off(code: Code, replica: u32, upstream: &str) -> Status {
    match code {
        Code::Unavailable => {
            refuse(code, CONNECTION_LOST, format!("connection to replica {replica} of {upstream} was lost"))
        }
        code => refuse(code, CALL_RESET, format!("replica {replica} of {upstream} broke off its answer")),
    }
}

/// Marks a failure as one that is only passed on: it was tried as often as may be, and by somebody else's fault.
pub(super) fn pass_on(mut status: Status) -> Status {
    status.metadata_mut().insert(PUSHBACK, MetadataValue::from_static(PASSED_ON));
    status
}

/// The same in headers or trailers.
pub(super) fn mark_passed_on(headers: &mut HeaderMap) {
    headers.insert(PUSHBACK, HeaderValue::from_static(PASSED_ON));
}

/// Whether the failure in these headers or trailers is marked so.
pub(super) fn is_passed_on(headers: &HeaderMap) -> bool {
    let millis = headers.get(PUSHBACK).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    millis.is_some_and(|millis| millis < 0)
}

/// What a failed attempt's server advises.
pub(super) enum Pushback {
    Silent,
    Never,
    After(Duration),
}

impl Pushback {
    /// Anything but a number of milliseconds forbids retrying, as gRFC A6 demands.
    pub(super) fn in_headers(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(PUSHBACK) else { return Self::Silent };
        match value.to_str().ok().and_then(|text| text.parse::<u32>().ok()) {
            Some(millis) => Self::After(Duration::from_millis(millis.into())),
            None => Self::Never,
        }
    }
}
