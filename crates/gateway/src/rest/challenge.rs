//! How HTTP says why a token, or none, was not enough (RFC 6750, 3).

use crm_proto::google::rpc::{ErrorInfo, Status as RpcStatus};
use http::HeaderValue;
use prost::Message;
use tonic::{Code, Status};

/// The value of `WWW-Authenticate`, for answers that a token could change.
///
/// Who brought none is told no error, as the RFC wants it.
pub(super) fn challenge(status: &Status) -> Option<HeaderValue> {
    let reason = reason(status.details()).unwrap_or_default();
    Some(HeaderValue::from_static(match (status.code(), reason.as_str()) {
        (Code::PermissionDenied, "ROLE_READ_ONLY" | "ROLE_NOT_ALLOWED") => {
            r#"Bearer realm="bellwether", error="insufficient_scope""#
        }
        (Code::Unauthenticated, "TOKEN_MISSING") => r#"Bearer realm="bellwether""#,
        (Code::Unauthenticated, reason) if reason.starts_with("TOKEN_") => {
            r#"Bearer realm="bellwether", error="invalid_token""#
        }
        (Code::Unauthenticated, _) => r#"Bearer realm="bellwether""#,
        _ => return None,
    }))
}

/// The reason among the details.
fn reason(details: &[u8]) -> Option<String> {
    let status = RpcStatus::decode(details).ok()?;
    let any = status.details.iter().find(|any| any.type_url.ends_with("/google.rpc.ErrorInfo"))?;
    Some(ErrorInfo::decode(&*any.value).ok()?.reason)
}
