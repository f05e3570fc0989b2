use http::{HeaderMap, HeaderValue, Response};
use tonic::{Code, Status};

/// The source of a status that is the caller's own doing, although its code is one that servers fail with.
///
/// gRPC has RESOURCE_EXHAUSTED for a message that is too long, and INTERNAL for one that cannot be unpacked: a caller that
/// sends such must not look like an outage.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the caller's own doing")]
pub struct CallersFault;

impl CallersFault {
    /// Whether an answer of this process is marked so.
    pub(super) fn is_told<B>(response: &Response<B>) -> bool {
        let source = response.extensions().get::<Status>().and_then(std::error::Error::source);
        source.is_some_and(<dyn std::error::Error>::is::<Self>)
    }
}

/// The status that headers or trailers carry. A status that is no number counts as UNKNOWN, as gRPC wants it.
pub fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// A status as it ends a response that has begun.
pub fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Fails only for a message that is no header value, and then the code alone is what remains.
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(i32::from(status.code())));
    }
    trailers
}

/// Whether a call that ended so is the server's failure rather than the caller's.
///
/// The list is that of the RPC conventions, and RESOURCE_EXHAUSTED with them: here it means that we shed load,
/// which the caller of a well-formed request experiences as an outage.
pub fn is_server_error(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
            | Code::ResourceExhausted
    )
}

/// `NOT_FOUND` and its like.
pub fn status_text(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
