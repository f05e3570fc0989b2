//! For whom a request is, and under which names a port of this machine may be asked by a browser.
//!
//! A port that asks for no token is still reachable for the page of somebody else that a person has open here. Rules
//! about origins stop such a page, unless it comes from a name that its owner points at this machine once the page is
//! loaded (DNS rebinding): page and port are then of one origin to the browser. What gives the page away is the name.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Uri, Version, header};

use crate::problem::Violation;
use crate::reasons::HOST_INVALID;

/// Refuses a request that does not say for whom it is, or may be read as one for somebody else: HTTP/1.1 must name one
/// host (RFC 9112, 3.2), and HTTP/2 no other in the header than in the address (RFC 9113, 8.3.1).
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Violation> {
    let refuse = |description| Err(Violation::new("host", HOST_INVALID, description));
    let mut lines = request.headers().get_all(header::HOST).iter();
    match (lines.next(), lines.next()) {
        (_, Some(_)) => refuse("must be given once"),
        (None, None) if request.version() == Version::HTTP_11 => refuse("must be given"),
        (Some(line), None) if !is_host(line.as_bytes()) => refuse("must be a name or an address, and perhaps a port"),
        (Some(line), None) if request.version() >= Version::HTTP_2 && !is_same(request.uri(), line) => {
            refuse("must be that of the address, or be left out")
        }
        _ => Ok(()),
    }
}

/// `uri-host [ ":" port ]`, and a host that is not empty (RFC 9110, 4.2.1).
fn is_host(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let (host, port) =
        match line.find(']').map_or_else(|| line.find(':'), |end| line[end..].find(':').map(|at| end + at)) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, ""),
        };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok());
    is_port && (is_name(host) || is_ipv6(host))
}

/// RFC 3986, 3.2.2: unreserved characters, those that divide within parts, and percent-encoded ones.
fn is_name(host: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    !host.is_empty() && host.bytes().all(is_known)
}

fn is_ipv6(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    literal.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

/// Whether a header names the host and the port of an address; one without either names nobody else.
fn is_same(uri: &Uri, line: &HeaderValue) -> bool {
    let Some(authority) = uri.authority() else { return true };
    let usual = if uri.scheme_str() == Some("https") { ":443" } else { ":80" };
    let bare = |host: &str| host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase();
    line.to_str().is_ok_and(|line| bare(line) == bare(authority.as_str()))
}

/// Whom a request is for: HTTP/2 says it in the address, HTTP/1.1 in a header, of which an address in the request line
/// takes the place (RFC 9112, 3.2.2). `None` where it is not said, or not understood.
#[must_use]
pub fn named(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let header = || Authority::try_from(headers.get(header::HOST)?.as_bytes()).ok();
    uri.authority().cloned().or_else(header)
}

/// Whether a request names no host, as no browser does, or one that nobody outside can own.
#[must_use]
pub fn is_for_private(uri: &Uri, headers: &HeaderMap) -> bool {
    let is_silent = uri.authority().is_none() && !headers.contains_key(header::HOST);
    is_silent || named(uri, headers).is_some_and(|authority| is_private(authority.host()))
}

/// Whether nobody outside can own this host of a URL: it is an address (IPv6 in brackets), a name without a dot (of a
/// container, or of this machine), or below `localhost` (RFC 6761).
#[must_use]
pub fn is_private(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    literal.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
        || host.parse::<Ipv4Addr>().is_ok()
        || !host.contains('.')
        || host.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is wrong with a request of these `Host` lines, if anything is.
    fn told(version: Version, uri: &str, hosts: &[&str]) -> Option<String> {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        check(&request.body(()).unwrap()).err().map(|violation| violation.description)
    }

    #[test]
    fn a_request_is_for_one_host() {
        for (version, uri, hosts, well) in [
            (Version::HTTP_11, "/", &["here"][..], true),
            (Version::HTTP_11, "/", &[], false),
            (Version::HTTP_11, "http://here/", &[], false),
            (Version::HTTP_11, "http://here/", &["there"], true),
            (Version::HTTP_11, "/", &["here", "here"], false),
            (Version::HTTP_10, "/", &[], true),
            (Version::HTTP_10, "/", &["here", "there"], false),
            (Version::HTTP_2, "http://here/", &[], true),
            (Version::HTTP_2, "/", &["here"], true),
            (Version::HTTP_2, "http://here:80/", &["HERE"], true),
            (Version::HTTP_2, "https://here/", &["here:443"], true),
            (Version::HTTP_2, "http://here/", &["here:8080"], false),
            (Version::HTTP_2, "http://here/", &["there"], false),
            (Version::HTTP_2, "http://here/", &["here", "here"], false),
        ] {
            assert_eq!(told(version, uri, hosts).is_none(), well, "{version:?} {uri} {hosts:?}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in ["a", "a.b:1", "crm_gateway_1:8080", "127.0.0.1:65535", "[::1]", "[::1]:80", "a:", "x%20y", "a&b'c"]
        {
            assert_eq!(told(Version::HTTP_11, "/", &[host]), None, "{host}");
        }
        for host in
            ["", ":80", "a b", "a:b", "a:1:2", "a:65536", "a:-1", "me@a", "a/b", "[::1", "::1", "[x]", "[::1]x", "<a>"]
        {
            assert!(told(Version::HTTP_11, "/", &[host]).is_some(), "{host}");
        }
    }

    #[test]
    fn the_address_of_a_request_goes_before_its_header() {
        let is_ours = |uri: &str, host: &[&str]| {
            let hosts = host.iter().map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
            is_for_private(&uri.parse().unwrap(), &hosts.collect())
        };
        assert!(is_ours("/", &["localhost:8081"]) && is_ours("http://localhost/", &["evil.example"]));
        assert!(is_ours("/", &[]), "no browser");
        assert!(!is_ours("/", &["evil.example"]) && !is_ours("http://evil.example/", &["localhost"]));
        assert!(!is_ours("/", &["a b"]) && !is_ours("http://evil.example/", &[]));
    }

    #[test]
    fn a_name_that_anybody_can_register_is_not_private() {
        for private in [
            "127.0.0.1",
            "10.0.0.7",
            "[::1]",
            "[::ffff:10.0.0.7]",
            "LOCALHOST",
            "localhost.",
            "gateway",
            "crm.Localhost",
        ] {
            assert!(is_private(private), "{private}");
        }
        for foreign in ["evil.example", "evil.example.", "127.0.0.1.evil.example", "localhost.evil.example", "127.1"] {
            assert!(!is_private(foreign), "{foreign}");
        }
    }
}
