//! Percent-encoding (RFC 3986, section 2.1), read strictly: a stray `%` or bytes that are not UTF-8 are refused.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

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
    if !is_whole(text) {
        return None;
    }
    if slash == Slash::Keep && (text.contains("%2F") || text.contains("%2f")) {
        let kept = text.replace("%2f", "%2F").replace("%2F", "%252F");
        return percent_decode_str(&kept).decode_utf8().ok().map(|text| text.into_owned().into());
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// Decodes a name or value of a query string, where `+` stands for a space.
pub(crate) fn decode_query(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decode(text, Slash::Decode);
    }
    decode(&text.replace('+', " "), Slash::Decode).map(|text| text.into_owned().into())
}

/// Decodes what follows the rules of gRPC's `grpc-message`: faulty sequences are shown as they are.
pub(crate) fn decode_lossy(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether two digits follow each percent sign.
fn is_whole(text: &str) -> bool {
    let begins_with_two = |rest: &str| rest.bytes().take_while(u8::is_ascii_hexdigit).take(2).count() == 2;
    text.split('%').skip(1).all(begins_with_two)
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
        check("%252F%2f%2F", Slash::Keep, Some("%2F%2F%2F"));
        check("%2%2F", Slash::Keep, None);
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
