//! Which names the control API answers to.
//!
//! It asks for no token, so a page that somebody opens on this machine must not reach it. Cross-origin rules stop such
//! a page, unless it comes from a name that its owner points at the loopback address once the page is loaded (DNS
//! rebinding): to the browser, page and control API are then of one origin. What gives the page away is the name.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Uri, header, uri::Authority};

use super::Control;
use crate::reasons;

/// Refuses requests to names that somebody outside can own.
pub(crate) async fn guard(State(control): State<Control>, request: Request, next: Next) -> Response {
    if is_ours(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    control.refuse(&reasons::foreign_host()).into_response()
}

fn is_ours(uri: &Uri, headers: &HeaderMap) -> bool {
    let authority = match (uri.authority(), headers.get(header::HOST)) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => match Authority::try_from(host.as_bytes()) {
            Ok(authority) => Some(authority),
            Err(_) => return false,
        },
        // Every browser sends one.
        (None, None) => None,
    };
    authority.is_none_or(|authority| is_private(authority.host()))
}

/// Addresses, and names that no public zone holds: those without a dot (of a container or this machine), and `localhost`.
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
    use super::*;

    fn check(host: &'static str, expected: bool) {
        let headers = HeaderMap::from_iter([(header::HOST, http::HeaderValue::from_static(host))]);
        assert_eq!(is_ours(&Uri::from_static("/switches"), &headers), expected, "{host}");
    }

    #[test]
    fn a_name_that_anybody_can_register_is_not_ours() {
        for ours in ["127.0.0.1:8081", "[::1]:8081", "10.0.0.7", "localhost:8081", "Gateway:8081", "crm.localhost"] {
            check(ours, true);
        }
        for foreign in ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example.", "a b"]
        {
            check(foreign, false);
        }
    }

    #[test]
    fn the_target_of_the_request_goes_before_its_host_header() {
        let headers = HeaderMap::from_iter([(header::HOST, http::HeaderValue::from_static("localhost"))]);
        assert!(!is_ours(&Uri::from_static("http://evil.example/switches"), &headers));
        assert!(is_ours(&Uri::from_static("/switches"), &HeaderMap::new()));
    }
}
