//! Percent-encoding (RFC 3986, section 2.1), read strictly: a stray `%` or bytes that are not UTF-8 are refused.

use std::borrow::Cow;

/// What `%2F` means in a value that may span path segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slash {
    /// A slash like any other character.
    Decode,
    /// Stays `%2F`, so that it cannot be taken for a separator (as `google.api.http` asks).
    Keep,
}

/// Decodes `text`; `None` if it is not valid percent-encoded UTF-8.
pub(crate) fn decode(text: &str, slash: Slash) -> Option<Cow<'_, str>> {
    decode_bytes(text, slash, false)
}

/// Decodes a name or value of a query string, where `+` stands for a space.
pub(crate) fn decode_query(text: &str) -> Option<Cow<'_, str>> {
    decode_bytes(text, Slash::Decode, true)
}

/// Decodes what follows the rules of gRPC's `grpc-message`: faulty sequences are shown as they are.
pub(crate) fn decode_lossy(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let decoded = if byte == b'%' { escaped(bytes, at) } else { None };
        out.push(decoded.unwrap_or(byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn decode_bytes(text: &str, slash: Slash, plus_is_space: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'%' => {
                match (escaped(bytes, at)?, slash) {
                    (b'/', Slash::Keep) => out.extend_from_slice(b"%2F"),
                    (decoded, _) => out.push(decoded),
                }
                3
            }
            b'+' if plus_is_space => push(&mut out, b' '),
            _ => push(&mut out, byte),
        };
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn push(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    1
}

/// The byte that the sequence at `at` stands for.
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let high = char::from(*bytes.get(at + 1)?).to_digit(16)?;
    let low = char::from(*bytes.get(at + 2)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_strictly() {
        let check =
            |text, slash, expected: Option<&str>| assert_eq!(decode(text, slash).as_deref(), expected, "{text}");
        check("plain+text", Slash::Decode, Some("plain+text"));
        check("a%20b%2Fc", Slash::Decode, Some("a b/c"));
        check("a%20b%2fc", Slash::Keep, Some("a b%2Fc"));
        check("%C3%A9", Slash::Decode, Some("é"));
        check("%", Slash::Decode, None);
        check("%4", Slash::Decode, None);
        check("%+4", Slash::Decode, None);
        check("%ff", Slash::Decode, None);
        assert_eq!(decode_query("a+b%2B").as_deref(), Some("a b+"));
    }

    #[test]
    fn grpc_messages_are_shown_even_if_faulty() {
        assert_eq!(decode_lossy("50%25 off%2"), "50% off%2");
        assert_eq!(decode_lossy("%ff"), "\u{fffd}");
    }
}
