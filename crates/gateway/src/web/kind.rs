//! The media types of gRPC-Web.

use http::{HeaderMap, HeaderValue, header};

/// What is taken, for `Accept-Post`.
pub(crate) const ACCEPTED: &str =
    "application/grpc-web, application/grpc-web+proto, application/grpc-web-text, application/grpc-web-text+proto";
const PREFIX: &str = "application/grpc-web";

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Binary,
    /// In base64, piece by piece.
    Text,
}

/// Whether a caller speaks gRPC-Web, in whichever form.
pub(crate) fn is_web(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    kind.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

impl Kind {
    /// The kind of a request; none of those with messages that are not protobuf.
    pub(super) fn of_request(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(header::CONTENT_TYPE)?.to_str().ok()?)
    }

    /// The kind that the answer is asked for in; the request's own where nothing is said.
    pub(super) fn wanted(self, headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).find_map(Self::parse).unwrap_or(self)
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        }
    }

    /// Parameters tell nothing more.
    fn parse(kind: &str) -> Option<Self> {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let form = kind.strip_prefix(PREFIX)?;
        match form.strip_suffix("+proto").unwrap_or(form) {
            "" => Some(Self::Binary),
            "-text" | "-text-base64" => Some(Self::Text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &'static str, accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::ACCEPT, HeaderValue::from_static(accept)),
        ])
    }

    #[test]
    fn types_are_told_apart() {
        let check = |kind, expected| {
            assert_eq!(Kind::of_request(&headers(kind, "")), expected, "{kind}");
            assert!(is_web(&headers(kind, "")), "{kind}");
        };
        check("application/grpc-web", Some(Kind::Binary));
        check("Application/gRPC-Web+Proto; charset=utf-8", Some(Kind::Binary));
        check("application/grpc-web-text", Some(Kind::Text));
        check("application/grpc-web-text+proto", Some(Kind::Text));
        check("application/grpc-web-text-base64", Some(Kind::Text));
        for other in ["application/grpc-web+json", "application/grpc-web-text+thrift", "application/grpc-webx"] {
            check(other, None);
        }
        for other in ["application/grpc", "application/grpc+proto", "application/json", ""] {
            assert!(!is_web(&headers(other, "")), "{other}");
        }
    }

    #[test]
    fn the_answer_has_the_form_that_is_asked_for() {
        let check = |kind: Kind, accept, expected| assert_eq!(kind.wanted(&headers("", accept)), expected, "{accept}");
        check(Kind::Text, "", Kind::Text);
        check(Kind::Binary, "*/*", Kind::Binary);
        check(Kind::Binary, "text/html, application/grpc-web-text", Kind::Text);
        check(Kind::Text, "application/grpc-web+proto", Kind::Binary);
    }
}
