//! Under which names a port of this machine may be asked by a browser.
//!
//! A port that asks for no token is still reachable for the page of somebody else that a person has open here. Rules
//! about origins stop such a page, unless it comes from a name that its owner points at this machine once the page is
//! loaded (DNS rebinding): page and port are then of one origin to the browser. What gives the page away is the name.

use std::net::{Ipv4Addr, Ipv6Addr};

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
mod tests {
    use super::*;

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
