//! Where Redis is.

use redis::{ConnectionInfo, IntoConnectionInfo};

const SCHEMES: [&str; 3] = ["redis", "rediss", "redis+unix"];

/// A URL that names no Redis server. It is not shown, since it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It has another scheme.
    #[error("the URL's scheme is none of redis, rediss (over TLS) and redis+unix")]
    Scheme,
    /// `#insecure`: TLS with whoever answers, which keeps nothing secret.
    #[error("the certificate is always verified: name its authority in SSL_CERT_FILE instead of #insecure")]
    Insecure,
    /// Anything else.
    #[error("the Redis URL cannot be understood")]
    Malformed,
}

pub(super) fn parse(url: &str) -> Result<ConnectionInfo, UrlError> {
    let url = url.trim();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !scheme.is_some_and(|scheme| SCHEMES.contains(&&*scheme)) {
        return Err(UrlError::Scheme);
    }
    if url.ends_with("#insecure") {
        return Err(UrlError::Insecure);
    }
    url.into_connection_info().map_err(|_| UrlError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_the_url() {
        for (url, expected) in [
            ("redis://cache", Ok(())),
            ("redis://:secret@cache:6380/3", Ok(())),
            ("REDISS://user:secret@cache", Ok(())),
            ("redis+unix:///run/redis.sock?db=2", Ok(())),
            ("http://secret@cache", Err(UrlError::Scheme)),
            ("cache:6379", Err(UrlError::Scheme)),
            ("", Err(UrlError::Scheme)),
            ("rediss://cache#insecure", Err(UrlError::Insecure)),
            ("redis://cache/secret", Err(UrlError::Malformed)),
            ("redis://cache:port", Err(UrlError::Malformed)),
            ("redis://", Err(UrlError::Malformed)),
        ] {
            assert_eq!(parse(url).map(drop), expected, "{url}");
        }
    }
}
