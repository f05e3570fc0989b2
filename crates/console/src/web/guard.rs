//! Keeps other sites' pages from pressing our buttons, and from reading ours. The console asks for no password, so a page
//! elsewhere that a person has open could otherwise send its forms here, or lead a name of its own to this address (DNS
//! rebinding).
//!
//! Method: the name under which the browser knows us, whatever it asks; and for commands Fetch Metadata (W3C) where the
//! browser sends it, the `Origin` header (RFC 6454) where it does not.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use crm_server::host::{is_private, named};
use http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority};

use super::{Web, answer};
use crate::config::Hosts;

pub(super) async fn same_site(State(web): State<Web>, request: Request, next: Next) -> Response {
    let is_command = !matches!(*request.method(), Method::GET | Method::HEAD);
    match refusal(is_command, request.headers(), request.uri(), &web.config.hosts) {
        Some(why) => answer::refused(request.headers(), StatusCode::FORBIDDEN, why),
        None => next.run(request).await,
    }
}

/// Why a request is not taken, if it is not.
fn refusal(is_command: bool, headers: &HeaderMap, uri: &Uri, hosts: &Hosts) -> Option<&'static str> {
    // Every browser says it; who reads without one need not.
    let Some(host) = named(uri, headers) else {
        let is_read = !is_command && !headers.contains_key(header::HOST);
        return (!is_read).then_some("The request does not say whom it is for.");
    };
    if !is_ours(&host, hosts) {
        return Some("The console is not known by this name; CRM_CONSOLE_HOSTS can say that it is.");
    }
    if !is_command {
        return None;
    }
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return Some("Another site's page sent this.");
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
    let is_own =
        |origin: &str| origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host.as_str()));
    (!origin.is_none_or(is_own)).then_some("A page of another origin sent this.")
}

fn is_ours(host: &Authority, hosts: &Hosts) -> bool {
    is_private(host.host()) || hosts.has(host.host().trim_end_matches('.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(pairs: &[(&'static str, &str)], taken: bool) {
        check_either(true, pairs, taken);
    }

    fn check_either(is_command: bool, pairs: &[(&'static str, &str)], taken: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        let hosts = "room.example".parse().unwrap();
        let refusal = refusal(is_command, &headers, &Uri::from_static("/"), &hosts);
        assert_eq!(refusal.is_none(), taken, "{pairs:?}: {refusal:?}");
    }

    #[test]
    fn only_our_own_page_and_no_page_at_all_may_command() {
        let host = ("host", "127.0.0.1:8000");
        let site = |value| ("sec-fetch-site", value);
        check(&[host], true);
        check(&[], false);
        check(&[host, site("same-origin"), ("origin", "http://127.0.0.1:8000")], true);
        check(&[host, ("origin", "http://127.0.0.1:8000")], true);
        check(&[host, ("origin", "http://127.0.0.1:9000")], false);
        check(&[host, ("origin", "null")], false);
        check(&[host, ("origin", "http://evil.example")], false);
        check(&[host, site("cross-site")], false);
        check(&[host, site("same-site"), ("origin", "http://127.0.0.1:8000")], false);
    }

    #[test]
    fn a_page_of_another_name_reads_nothing() {
        let read = |pairs, taken| check_either(false, pairs, taken);
        read(&[("host", "evil.example:8000")], false);
        read(&[("host", "a b")], false);
        read(&[("host", "localhost:8000"), ("sec-fetch-site", "cross-site")], true);
        read(&[("host", "room.example")], true);
        read(&[], true);
    }

    #[test]
    fn a_name_that_leads_here_is_not_ours_for_that() {
        let origin = |origin| ("origin", origin);
        check(&[("host", "evil.example:8000"), origin("http://evil.example:8000")], false);
        check(&[("host", "room.example"), origin("https://room.example")], true);
        check(&[("host", "[::1]:8000"), origin("http://[::1]:8000")], true);
        check(&[("host", "LOCALHOST:8000"), origin("http://localhost:8000")], true);
        check(&[("host", "crm.LOCALHOST:8000"), origin("http://crm.localhost:8000")], true);
        check(&[("host", "127.0.0.1.:8000"), origin("http://127.0.0.1.:8000")], true);
        check(&[("host", "room.example.")], true);
        check(&[("host", "evil.example.")], false);
    }
}
