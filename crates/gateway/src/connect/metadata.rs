//! Metadata of an answer as headers: what came first by its own name, what came last behind `trailer-`.

use http::{HeaderMap, HeaderName, header};

use crate::headers::is_hop_by_hop;

/// Adds what the service said before its message.
pub(super) fn lead(answer: &mut HeaderMap, head: &HeaderMap) {
    for (name, value) in head.iter().filter(|(name, _)| is_custom(name)) {
        answer.append(name.clone(), value.clone());
    }
}

/// Adds what the service said after it.
pub(super) fn trail(answer: &mut HeaderMap, trailers: &HeaderMap) {
    for (name, value) in trailers.iter().filter(|(name, _)| is_custom(name)) {
        // A name that is valid stays so behind a prefix of letters.
        if let Ok(name) = HeaderName::try_from(format!("trailer-{name}")) {
            answer.append(name, value.clone());
        }
    }
}

/// Neither about the connection or the body, nor a protocol's own.
fn is_custom(name: &HeaderName) -> bool {
    let is_of_the_body =
        [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::DATE, header::TE];
    let is_reserved = ["grpc-", "connect-"].into_iter().any(|prefix| name.as_str().starts_with(prefix));
    !is_reserved && !is_of_the_body.contains(name) && !is_hop_by_hop(name)
}
