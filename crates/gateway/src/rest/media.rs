//! What a body may be: JSON as it is.
//!
//! A body without a type is read as JSON: it can hardly be anything else, and plain HTTP clients name none. One that says
//! what it is must be right: forms (what `curl -d` says unless it is told otherwise) would fail as JSON all the same, with
//! less to learn from, and a merge patch would change other fields than it does elsewhere (RFC 7396 goes into messages that
//! a PATCH here replaces).

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};

use super::refusal::Refusal;
use crate::{headers::is_compressed, reasons};

/// The only media type.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Refuses bodies that say to be something else.
pub(super) fn refuse_other(parts: &Parts) -> Result<(), Refusal> {
    if parts.headers.get(header::CONTENT_TYPE).is_none_or(is_json) {
        return Ok(());
    }
    let for_method = match parts.method {
        Method::POST => Some(HeaderName::from_static("accept-post")),
        Method::PATCH => Some(HeaderName::from_static("accept-patch")),
        _ => None,
    };
    let taken = for_method.into_iter().chain([header::ACCEPT]).map(|name| (name, JSON));
    Err(Refusal::NotTaken(reasons::other_media(), taken.collect()))
}

/// Whether a media type is JSON's, in the only encoding that JSON has (RFC 8259, 8.1); names are in any case.
pub(crate) fn is_json(kind: &HeaderValue) -> bool {
    let Ok(kind) = kind.to_str() else { return false };
    let mut parts = kind.split(';');
    let is_known = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            matches!(value.trim().trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8")
        }
        _ => true,
    };
    parts.next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) && parts.all(is_known)
}

/// Refuses bodies that are packed.
pub(super) fn refuse_packed(headers: &HeaderMap) -> Result<(), Refusal> {
    if !is_compressed(headers) {
        return Ok(());
    }
    let taken = [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
    Err(Refusal::NotTaken(reasons::compressed_body(), taken.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_any_spelling_of_its_name() {
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json ; Charset=utf8; x=y",
        ] {
            assert!(is_json(&HeaderValue::from_static(json)), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/merge-patch+json",
            "application/json; charset=iso-8859-1",
            "application/json; charset=utf-16",
            "application/json, text/plain",
            "application/jsonx",
        ] {
            assert!(!is_json(&HeaderValue::from_static(other)), "{other}");
        }
    }
}
