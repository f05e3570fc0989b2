//! Entity tags as HTTP writes them (RFC 9110, 8.8.3), and what a header asks of them.
//!
//! An etag field has any form that its service likes. As a header it is a strong tag: what may not stand in one is
//! percent-encoded, so that each etag has one tag, in which it is found again.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::percent::{self, Slash};

/// A comma may stand in a tag, but careless readers cut lists there.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',');

/// A tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    is_weak: bool,
    opaque: Vec<u8>,
}

impl Tag {
    /// The strong tag of an etag field; one that is empty tells no state.
    pub(crate) fn of(etag: &str) -> Option<Self> {
        let opaque = percent_encode(etag.as_bytes(), ESCAPED).to_string().into_bytes();
        (!etag.is_empty()).then_some(Self { is_weak: false, opaque })
    }

    /// The etag whose tag this is. A weak tag never names a state (RFC 9110, 8.8.3.2), and of several spellings only
    /// one is a tag that was given out.
    pub(crate) fn etag(&self) -> Option<String> {
        let etag = percent::decode(std::str::from_utf8(&self.opaque).ok()?, Slash::Decode)?.into_owned();
        (Self::of(&etag).as_ref() == Some(self)).then_some(etag)
    }

    /// As a header has it.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let prefix = if self.is_weak { &b"W/\""[..] } else { b"\"" };
        HeaderValue::from_bytes(&[prefix, &self.opaque, b"\""].concat()).ok()
    }

    /// The tag at the beginning, and what follows it.
    fn split(text: &[u8]) -> Option<(Self, &[u8])> {
        let (is_weak, quoted) = text.strip_prefix(b"W/").map_or((false, text), |quoted| (true, quoted));
        let inner = quoted.strip_prefix(b"\"")?;
        let end = inner.iter().position(|byte| *byte == b'"')?;
        let (opaque, rest) = inner.split_at(end);
        let is_legal = opaque.iter().all(|byte| matches!(byte, 0x21..=0x7e | 0x80..));
        is_legal.then(|| (Self { is_weak, opaque: opaque.to_vec() }, rest.get(1..).unwrap_or_default()))
    }
}

/// What `If-Match` or `If-None-Match` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: whatever is there.
    Any,
    /// One of these; never empty.
    These(Vec<Tag>),
}

impl Tags {
    /// Reads a header, whose lines are one list (RFC 9110, 5.3); `None` within if it is neither `*` nor a list of tags.
    pub(crate) fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Option<Self>> {
        headers.contains_key(name).then(|| {
            let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii()).collect();
            if lines.iter().all(|line| *line == b"*") { Some(Self::Any) } else { Self::parse(&lines.join(&b',')) }
        })
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (mut tags, mut rest) = (Vec::new(), skip_empty(text));
        while !rest.is_empty() {
            let (tag, after) = Tag::split(rest)?;
            let after = after.trim_ascii_start();
            if !after.is_empty() && !after.starts_with(b",") {
                return None;
            }
            tags.push(tag);
            rest = skip_empty(after);
        }
        (!tags.is_empty()).then_some(Self::These(tags))
    }

    /// Strong comparison (RFC 9110, 8.8.3.2), as `If-Match` wants it.
    pub(crate) fn match_strongly(&self, current: Option<&Tag>) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => current.is_some_and(|current| tags.contains(current)),
        }
    }

    /// Weak comparison, as `If-None-Match` wants it.
    pub(crate) fn match_weakly(&self, current: Option<&Tag>) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => current.is_some_and(|current| tags.iter().any(|tag| tag.opaque == current.opaque)),
        }
    }
}

/// Lists may have empty elements (RFC 9110, 5.6.1.2).
fn skip_empty(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t')).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Option<Option<Tags>> {
        let name = http::header::IF_MATCH;
        let lines = lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line.as_bytes()).unwrap()));
        Tags::read(&lines.collect(), &name)
    }

    fn texts(tags: Option<Option<Tags>>) -> Vec<String> {
        match tags {
            Some(Some(Tags::These(tags))) => {
                tags.iter().map(|tag| String::from_utf8_lossy(tag.header().unwrap().as_bytes()).into_owned()).collect()
            }
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn every_etag_has_one_tag_and_is_found_again() {
        for (etag, header) in [
            ("v1a", r#""v1a""#),
            (r#""v1""#, r#""%22v1%22""#),
            (r#"W/"v1""#, r#""W/%22v1%22""#),
            ("a b,c%d", r#""a%20b%2Cc%25d""#),
            ("\u{e9}\u{7f}\n", r#""%C3%A9%7F%0A""#),
            ("*", r#""*""#),
        ] {
            let tag = Tag::of(etag).unwrap();
            assert_eq!(tag.header().unwrap(), header, "{etag}");
            assert_eq!(tag.etag().as_deref(), Some(etag));
            assert_eq!(texts(read(&[tag.header().unwrap().to_str().unwrap().to_owned().leak()])), [header]);
        }
        assert_eq!(Tag::of(""), None);
    }

    #[test]
    fn tags_that_nobody_gave_out_name_no_state() {
        for header in [r#"W/"v1""#, r#""""#, r#""%76%31""#, r#""a%2cb""#, r#""%zz""#, r#""a,b""#, "\"\u{e9}\""] {
            let (tag, _) = Tag::split(header.as_bytes()).unwrap();
            assert_eq!(tag.etag(), None, "{header}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        assert_eq!(read(&[]), None);
        for any in [&["*"][..], &[" * "], &["*", "*"]] {
            assert_eq!(read(any), Some(Some(Tags::Any)), "{any:?}");
        }
        let check = |lines: &[&'static str], expected: &[&str]| assert_eq!(texts(read(lines)), expected, "{lines:?}");
        check(&[r#""a""#], &[r#""a""#]);
        check(&[r#""a", W/"b""#, r#""c","a""#], &[r#""a""#, r#"W/"b""#, r#""c""#, r#""a""#]);
        check(&[r#", ,"a,b" ,,"c","#], &[r#""a,b""#, r#""c""#]);
        for broken in
            ["", ",", "a", "\"a", "a\"", "\"a\"\"b\"", "\"a\" b", "*, \"a\"", "w/\"a\"", "W/a", "\"a b\"", "W/*"]
        {
            assert_eq!(read(&[broken]), Some(None), "{broken}");
        }
        assert_eq!(read(&["*", r#""a""#]), Some(None));
    }

    #[test]
    fn strong_comparison_wants_strong_tags_and_weak_comparison_does_not() {
        let check = |header: &'static str, strongly: bool, weakly: bool| {
            let (tags, current) = (read(&[header]).unwrap().unwrap(), Tag::of("b"));
            let found = (tags.match_strongly(current.as_ref()), tags.match_weakly(current.as_ref()));
            assert_eq!(found, (strongly, weakly), "{header}");
        };
        check(r#""a", "b""#, true, true);
        check(r#"W/"b""#, false, true);
        check(r#""a", "B""#, false, false);
        check("*", true, true);
        assert!(!read(&[r#""b""#]).unwrap().unwrap().match_weakly(None));
    }
}
