//! Under which names a port of this machine is asked for.
//!
//! A page of somebody else could point its own name at this machine once it is loaded (DNS rebinding), and read the traces.
//! So a port that only this machine reaches answers to names alone that nobody outside can own.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses what asks for somebody else.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    if is_ours(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this port answers to names of this machine only, such as localhost\n").into_response()
}

/// Whether the request names no host, or one that is ours; whoever names two means one that is not.
pub(crate) fn is_ours(uri: &Uri, headers: &HeaderMap) -> bool {
    let hosts: Vec<_> = headers.get_all(header::HOST).iter().collect();
    match (uri.authority(), hosts.as_slice()) {
        (_, [_, _, ..]) => false,
        (Some(authority), _) => is_private(authority.host()),
        (None, [host]) => Authority::try_from(host.as_bytes()).is_ok_and(|it| is_private(it.host())),
        (None, []) => true,
    }
}

/// An address (IPv6 in brackets), a name without a dot, or one below `localhost` (RFC 6761).
fn is_private(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    literal.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
        || host.parse::<Ipv4Addr>().is_ok()
        || !host.contains('.')
        || host.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(uri: &'static str, hosts: &[&'static str], expected: bool) {
        let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host)));
        assert_eq!(is_ours(&Uri::from_static(uri), &hosts.collect()), expected, "{uri}");
    }

    #[test]
    fn a_name_that_anybody_can_register_is_not_ours() {
        for ours in ["127.0.0.1:16686", "[::1]", "10.0.0.7", "localhost:1", "LOCALHOST.", "viewer", "crm.Localhost"] {
            check("/", &[ours], true);
        }
        for foreign in
            ["evil.example", "evil.example:1", "127.0.0.1.evil.example", "localhost.evil.example.", "a b", ""]
        {
            check("/", &[foreign], false);
        }
        check("/", &[], true);
        check("/", &["localhost", "localhost"], false);
        check("http://evil.example/", &["localhost"], false);
        check("http://localhost/", &["evil.example"], true);
    }
}
