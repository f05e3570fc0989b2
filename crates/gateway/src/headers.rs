//! Which headers pass the gateway.
//!
//! Everything a caller sends passes, as metadata of its call, but for two kinds: those about the connection rather
//! than the call (RFC 9110, 7.6.1), and those of the platform's own that a caller may not claim.

use crm_server::headers as shared;
use crm_transcode::{IDEMPOTENCY_KEY, is_same_key};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use tonic::Status;

/// Says how urgent a call is: `interactive` or `bulk`.
pub(crate) const PRIORITY: &str = "x-crm-priority";
/// In the answer of an export: where who has read it goes on with changes.
pub(crate) const CURSOR: HeaderName = HeaderName::from_static("x-crm-cursor");
/// In the answer of a read: the id that was asked for, where the record that is shown stands for another.
pub(crate) const REDIRECTED_FROM: HeaderName = HeaderName::from_static("x-crm-redirected-from");
/// Prefix of the headers that the platform's processes set for each other.
const INTERNAL: &str = "x-crm-";

/// What the gateway adds on the way: the context of the trace, the deadline, and the request line but for its path.
const ROOM: usize = 1024;

/// Checks that a service which accepts `limit` bytes takes these, too, so that no replica is asked for what it refuses;
/// else says how many it takes.
pub(crate) fn check_length(headers: &HeaderMap, limit: u32) -> Result<(), usize> {
    let limit = passed_at_most(limit);
    if shared::length_of_map(headers) > limit { Err(limit) } else { Ok(()) }
}

/// The same over gRPC, where the path is the caller's, too.
pub(crate) fn check_head<B>(request: &Request<B>, limit: u32) -> Result<(), Status> {
    let limit = passed_at_most(limit);
    let length = shared::length_of_map(request.headers()) + request.uri().path().len();
    if length > limit { Err(shared::too_large(limit).into()) } else { Ok(()) }
}

fn passed_at_most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(ROOM)
}

/// Refuses a call of which a header says two things; what two idempotency keys say is told by the names they give.
pub(crate) fn check_single(headers: &HeaderMap) -> Result<(), Status> {
    shared::check_single(headers)?;
    let is_same = |one: &HeaderValue, other: &HeaderValue| match (one.to_str(), other.to_str()) {
        (Ok(one), Ok(other)) => is_same_key(one, other),
        _ => one == other,
    };
    Ok(shared::check_same(headers, [IDEMPOTENCY_KEY], is_same)?)
}

const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether a header is about the connection rather than the call.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
}

/// Whether a body is not as it stands.
pub(crate) fn is_compressed(headers: &HeaderMap) -> bool {
    let is_packed = |encoding: &HeaderValue| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    headers.get_all(header::CONTENT_ENCODING).iter().any(is_packed)
}

/// Removes from a call's headers what must not go on to a service.
pub(crate) fn sanitize_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    remove_internal(headers);
    // gRPC asks for exactly this, and nothing else may be said in HTTP/2 (RFC 9113, 8.2.2).
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// Removes all headers whose names begin so.
pub(crate) fn remove_starting_with(headers: &mut HeaderMap, prefix: &str) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(prefix)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn remove_internal(headers: &mut HeaderMap) {
    let priority = headers.get(PRIORITY).cloned();
    remove_starting_with(headers, INTERNAL);
    headers.extend(priority.map(|value| (HeaderName::from_static(PRIORITY), value)));
    let is_known = |value: &HeaderValue| value == "interactive" || value == "bulk";
    if headers.get(PRIORITY).is_some_and(|value| !is_known(value)) {
        headers.remove(PRIORITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&'static str, &'static str)], kept: &[&str]) {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        sanitize_request(&mut headers);
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).filter(|name| *name != "te").collect();
        names.sort_unstable();
        assert_eq!(names, kept, "{given:?}");
        assert_eq!(headers["te"], "trailers");
    }

    #[test]
    fn what_belongs_to_the_call_passes_and_the_rest_does_not() {
        check(
            &[("authorization", "x"), ("traceparent", "y"), ("grpc-timeout", "1S")],
            &["authorization", "grpc-timeout", "traceparent"],
        );
        check(&[("connection", "close, x-secret"), ("x-secret", "1"), ("keep-alive", "2")], &[]);
        check(
            &[("te", "gzip"), ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("proxy-authorization", "x")],
            &[],
        );
        check(&[("x-crm-tenant", "other"), ("x-crm-role", "admin"), ("x-other", "1")], &["x-other"]);
        check(&[("x-crm-priority", "bulk")], &["x-crm-priority"]);
        check(&[("x-crm-priority", "root")], &[]);
    }
}
