//! What it means that a stream broke, before its headers or after them.

use h2::Reason;
use tonic::Code;

/// The status of a call whose stream broke, by gRPC's table of HTTP/2 errors ("gRPC over HTTP2", section "Errors").
pub(super) fn code_of(error: &h2::Error) -> Code {
    if error.is_go_away() {
        return Code::Unavailable;
    }
    match error.reason() {
        Some(Reason::REFUSED_STREAM) | None => Code::Unavailable,
        Some(Reason::CANCEL) => Code::Cancelled,
        Some(Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        Some(_) => Code::Internal,
    }
}
