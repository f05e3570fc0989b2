//! Documents that do not change while a process runs: sent once to each reader, and packed once for all.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use tonic::body::Body;

use crate::compression;

/// One document.
#[derive(Debug)]
pub struct Document {
    kind: &'static str,
    body: Bytes,
    tag: String,
    packed: OnceLock<Option<Bytes>>,
}

impl Document {
    /// A document of a media type.
    pub fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        // Keyed by nothing: all processes of one build have one tag.
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let tag = tag(&format!("{:016x}", hasher.finish()));
        Self { kind, body, tag, packed: OnceLock::new() }
    }

    /// The document, in gzip if the reader `takes` it so, or 304 if the reader has it.
    pub fn answer(&self, asked: &HeaderMap, takes_gzip: bool) -> Response<Body> {
        if is_known(asked, &self.tag) {
            return not_modified(&self.tag);
        }
        let packed = || self.packed.get_or_init(|| compression::pack_once(&self.body)).clone();
        let packed = if takes_gzip { packed() } else { None };
        let is_packed = packed.is_some();
        whole(self.kind, &self.tag, packed.unwrap_or_else(|| self.body.clone()), is_packed)
    }
}

/// A weak tag: the same document goes out packed and plain (RFC 9110, 8.8.3.3).
#[must_use]
pub fn tag(state: &str) -> String {
    format!("W/\"{state}\"")
}

/// Whether the reader has the document of this tag (`If-None-Match`, which compares weakly; RFC 9110, 13.1.2).
#[must_use]
pub fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let lines = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    // A tag of ours has no comma; what is cut out of others' is none of ours.
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|known| known == "*" || opaque(known) == opaque(tag))
}

/// The reader has it.
pub fn not_modified(tag: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    compression::vary(response.headers_mut());
    response.headers_mut().extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    response
}

/// A document that is at hand, packed or not.
pub fn whole(kind: &'static str, tag: &str, body: Bytes, is_packed: bool) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(body)));
    let headers = response.headers_mut();
    compression::vary(headers);
    if is_packed {
        compression::say(headers);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(document: &Document, known: &[&str]) -> Response<Body> {
        let known = known.iter().map(|known| (header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap()));
        document.answer(&known.collect(), true)
    }

    #[test]
    fn who_has_a_document_is_not_sent_it_again() {
        let document = Document::new("text/plain", "x".repeat(10_000));
        let sent = answer(&document, &[]);
        assert_eq!((sent.status(), &sent.headers()["content-encoding"]), (StatusCode::OK, &"gzip".parse().unwrap()));
        let tag = sent.headers()[header::ETAG].to_str().unwrap().to_owned();
        let (strong, other) = (tag.trim_start_matches("W/"), "\"other\"");
        for known in
            [&[tag.as_str()][..], &[strong], &["*"], &["\"a,b\", W/\"c\"", &tag], &[other, &format!("{other},{tag}")]]
        {
            let kept = answer(&document, known);
            assert_eq!(
                (kept.status(), kept.headers()[header::ETAG].to_str().unwrap()),
                (StatusCode::NOT_MODIFIED, &*tag)
            );
            assert_eq!(kept.headers()[header::VARY], "accept-encoding");
        }
        for unknown in [&[other][..], &[""], &["W/"], &[&tag[2..5]]] {
            assert_eq!(answer(&document, unknown).status(), StatusCode::OK, "{unknown:?}");
        }
        let changed = Document::new("text/plain", "y".repeat(10_000));
        assert_eq!(answer(&changed, &[&tag]).status(), StatusCode::OK);
    }
}
