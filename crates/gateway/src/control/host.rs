//! Which names the control API answers to: those that [`crm_server::host`] calls private, as it asks for no token.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use crm_server::host::is_private;
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
    // Whoever names two means one that is not ours (RFC 9112, 3.2, refuses both).
    if headers.get_all(header::HOST).iter().nth(1).is_some() {
        return false;
    }
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
    fn two_names_are_none() {
        let two = ["localhost", "localhost"].map(|host| (header::HOST, http::HeaderValue::from_static(host)));
        assert!(!is_ours(&Uri::from_static("/switches"), &HeaderMap::from_iter(two)));
    }

    #[test]
    fn the_target_of_the_request_goes_before_its_host_header() {
        let headers = HeaderMap::from_iter([(header::HOST, http::HeaderValue::from_static("localhost"))]);
        assert!(!is_ours(&Uri::from_static("http://evil.example/switches"), &headers));
        assert!(is_ours(&Uri::from_static("/switches"), &HeaderMap::new()));
    }
}
