//! How the messages of a call are packed, as its headers say.

use http::{HeaderMap, HeaderName};
use tonic::Status;

use crate::reasons;

/// How the messages that come are packed, of those that say they are.
pub(crate) const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// What the other side can unpack.
pub(crate) const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");

const GZIP: &[u8] = b"gzip";

/// Whether messages may be packed with gzip; other packings nobody here understands.
pub(crate) fn is_packed(headers: &HeaderMap) -> Result<bool, Status> {
    let Some(encoding) = headers.get(ENCODING) else { return Ok(false) };
    match encoding.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
        b"identity" => Ok(false),
        GZIP => Ok(true),
        _ => Err(reasons::unknown_encoding()),
    }
}

/// Whether the caller takes gzip in answer.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPTED).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    named.into_iter().any(|name| name.trim_ascii().eq_ignore_ascii_case(GZIP))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn gzip_is_known_in_any_case_and_nothing_else_is() {
        for (encoding, expected) in [("identity", false), ("gzip", true), ("GZip", true), (" gzip ", true)] {
            assert_eq!(is_packed(&headers(&ENCODING, &[encoding])).expect("known"), expected, "{encoding}");
        }
        assert!(!is_packed(&HeaderMap::new()).expect("known"));
        for unknown in ["deflate", "zstd", "gzip,identity", "", "br"] {
            let refused = is_packed(&headers(&ENCODING, &[unknown])).expect_err(unknown);
            assert_eq!(refused.metadata().get("grpc-accept-encoding").expect("told"), "identity,gzip");
        }
    }

    #[test]
    fn what_a_caller_takes_may_be_said_in_several_lines() {
        for (lines, expected) in [
            (&["gzip"][..], true),
            (&["identity, deflate, gzip"], true),
            (&["identity", "GZIP"], true),
            (&["identity"], false),
            (&["x-gzip,gzipped"], false),
            (&[], false),
        ] {
            assert_eq!(takes_gzip(&headers(&ACCEPTED, lines)), expected, "{lines:?}");
        }
    }
}
