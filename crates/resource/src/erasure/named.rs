//! Texts by which a person is named elsewhere.

use std::collections::BTreeSet;

use serde_json::Value;

/// What has any of these texts is taken to name the person. So they have to be theirs alone: addresses, numbers and ids are,
/// names are not. In lower case, and ASCII.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeSet<String>);

/// Messages within messages that are looked into.
const DEEPEST: usize = 12;
/// So much of what stands beside a text tells whether it is part of another one.
const BESIDE: usize = 4;

impl Named {
    /// Short texts stand in all kinds of others.
    const SHORTEST: usize = 6;

    /// The text as well, if it can tell anybody.
    pub fn add(&mut self, text: &str) {
        let text = text.trim().to_ascii_lowercase();
        if text.is_ascii() && text.len() >= Self::SHORTEST {
            self.0.insert(text);
        }
    }

    /// These and others.
    #[must_use]
    pub fn and<'t>(&self, others: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = self.clone();
        others.into_iter().for_each(|text| all.add(text));
        all
    }

    /// These without those of somebody else.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self(self.0.difference(&others.0).cloned().collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }

    /// Whether a text has one of them, and not merely another address or number that has it within.
    pub(crate) fn is_in_text(&self, text: &str) -> bool {
        self.is_in_piece(text, true, true)
    }

    /// The same of a piece of a text. Of what stands at a cut, the next piece or the one before tells.
    pub(super) fn is_in_piece(&self, text: &str, is_first: bool, is_last: bool) -> bool {
        let text = text.to_ascii_lowercase();
        let is_whole = |at: usize, end: usize| (is_first || at >= BESIDE) && (is_last || end + BESIDE <= text.len());
        self.0.iter().any(|named| {
            let mut found = text.match_indices(named.as_str()).map(|(at, _)| (at, at + named.len()));
            found.any(|(at, end)| is_whole(at, end) && is_apart(&text[..at], named, &text[end..]))
        })
    }

    /// Whether one of the texts in a value of JSON has one of them.
    pub(super) fn is_in_json(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_in_text(text),
            Value::Array(items) => items.iter().any(|item| self.is_in_json(item)),
            Value::Object(fields) => fields.iter().any(|(name, item)| self.is_in_text(name) || self.is_in_json(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Whether one of the texts in an encoded message has one of them. Its fields are followed, whatever they are: what
    /// stands before and behind a text there is no text.
    pub(super) fn is_in_message(&self, bytes: &[u8]) -> bool {
        self.is_in_payload(bytes, DEEPEST)
    }

    fn is_in_payload(&self, bytes: &[u8], depth: usize) -> bool {
        if self.is_in_text(&String::from_utf8_lossy(bytes)) {
            return true;
        }
        let mut rest = bytes;
        while depth > 0 && !rest.is_empty() {
            match next_field(&mut rest) {
                Some(Some(payload)) if self.is_in_payload(payload, depth - 1) => return true,
                Some(_) => {}
                // It is no message.
                None => break,
            }
        }
        false
    }
}

/// What a field holds, if that is a text or a message; none, if there is no field.
fn next_field<'b>(rest: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    let tag = next_number(rest)?;
    let length = match tag & 7 {
        0 => return next_number(rest).map(|_| None),
        1 => 8,
        5 => 4,
        2 => usize::try_from(next_number(rest)?).ok()?,
        _ => return None,
    };
    let (payload, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some((tag & 7 == 2).then_some(payload))
}

fn next_number(rest: &mut &[u8]) -> Option<u64> {
    let length = rest.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, behind) = rest.split_at(length);
    *rest = behind;
    Some(number.iter().rev().fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f)))
}

/// Whether what stands before and behind a text does not belong to it. Where that cannot be told, it does not: too much is
/// erased rather than too little.
fn is_apart(before: &str, text: &str, behind: &str) -> bool {
    let (mut before, mut behind) = (before.chars().rev(), behind.chars());
    let (last, first) = (before.next(), behind.next());
    let is = |found: Option<char>, test: fn(char) -> bool| found.is_some_and(test);
    if !text.contains('@') {
        return !is(last, |it| it.is_ascii_digit()) && !is(first, |it| it.is_ascii_digit());
    }
    let (last_but_one, last_but_two) = (before.next(), before.next());
    // `\nann@…` and `%20ann@…` are what programs write where something else stands.
    let is_escape = last_but_one == Some('\\') || last_but_two == Some('%');
    let is_part = is(last, |it| it.is_ascii_alphanumeric()) && !is_escape;
    let joins = is(last, |it| "._%+-".contains(it)) && is(last_but_one, |it| it.is_ascii_alphanumeric());
    let goes_on = is(first, |it| it.is_ascii_alphanumeric() || it == '_')
        || (is(first, |it| ".-".contains(it)) && is(behind.next(), |it| it.is_ascii_alphanumeric()));
    !is_part && !joins && !goes_on
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ann() -> Named {
        Named::default().and(["ann@x.example", "+4930123456"])
    }

    #[test]
    fn what_could_be_anybody_s_names_nobody() {
        let mut named = Named::default();
        for text in
            ["", " ", "a@b.c", "ADA@acme.example", "ada@ACME.example ", "+14155550123", "\u{e9}\u{e9}\u{e9}\u{e9}"]
        {
            named.add(text);
        }
        assert_eq!(named.texts(), ["+14155550123", "ada@acme.example"]);
        assert_eq!(named.and(["0190a1b2"]).texts().len(), 3);
        assert_eq!(named.without(&Named::default().and(["+14155550123"])).texts(), ["ada@acme.example"]);
    }

    #[test]
    fn an_address_is_not_found_within_another_one() {
        for text in [
            "ann@x.example",
            "Mail to ANN@X.example.",
            "<ann@x.example>;bob@x.example",
            "email = \"ann@x.example\"",
            "to:ann@x.example, or",
            "- ann@x.example-",
            "-ann@x.example",
            "a\\nann@x.example",
            "to=bob%20ann@x.example",
            "\u{e9}ann@x.example\u{e9}",
            "+4930123456",
            "tel:+4930123456.",
            "+4930123456x7",
            "joann@x.example and ann@x.example",
        ] {
            assert!(ann().is_in_text(text), "{text}");
        }
        for text in [
            "",
            "joann@x.example",
            "jo.ann@x.example",
            "jo-ann@x.example",
            "bob+ann@x.example",
            "1ann@x.example",
            "ann@x.example.org",
            "ann@x.examples",
            "ann@x.example-2.org",
            "+49301234567",
            "1+4930123456",
        ] {
            assert!(!ann().is_in_text(text), "{text}");
        }
    }

    #[test]
    fn what_stands_around_a_text_in_a_message_is_none() {
        let field = |number: u8, text: &[u8]| {
            let mut bytes = vec![number << 3 | 2, u8::try_from(text.len()).unwrap()];
            bytes.extend_from_slice(text);
            bytes
        };
        // Lengths and tags are letters and digits now and then: each length that a text may have, each tag.
        for length in 13..=126 {
            let begins = format!("{:<length$}", "ann@x.example");
            let ends = format!("{:>length$}", "Ann@x.example");
            for number in 1..15 {
                for text in [&begins, &ends] {
                    let message = [field(number, text.as_bytes()), field(number, b"x"), vec![number << 3, 7]].concat();
                    assert!(ann().is_in_message(&message), "{message:?}");
                    if message.len() < 128 {
                        let within = [field(1, b"type.example/x"), field(2, &message)].concat();
                        assert!(ann().is_in_message(&within), "{within:?}");
                    }
                }
                let other = [field(number, b"joann@x.example"), field(number, b"ann@x.example.org")].concat();
                assert!(!ann().is_in_message(&other) && !ann().is_in_message(&field(number, &other)));
            }
        }
        assert!(!ann().is_in_message(&[0xff; 40]) && !ann().is_in_message(&[0x0a]));
    }

    #[test]
    fn of_what_is_cut_the_other_piece_tells() {
        let text = "family_name,email;jo.ann@x.example;1,ann@x.example;2";
        let is_found = |text: &str| {
            (0..=text.len()).all(|cut| {
                // As pieces of a file have it: the second one begins before the cut.
                let begin = cut.saturating_sub(30);
                ann().is_in_piece(&text[..cut], true, cut == text.len())
                    || ann().is_in_piece(&text[begin..], begin == 0, true)
            })
        };
        assert!(is_found(text));
        for cut in 0..=34 {
            let (one, begin) = (&text[..cut], cut.saturating_sub(30));
            assert!(!ann().is_in_piece(one, true, false), "{one}");
            assert!(!ann().is_in_piece(&text[begin..34], begin == 0, true), "{}", &text[begin..34]);
        }
    }

    #[test]
    fn texts_of_json_are_looked_at_one_by_one() {
        assert!(ann().is_in_json(&json!({"filter": [null, "\nann@x.example"]})));
        assert!(ann().is_in_json(&json!({"after": 7, "ann@x.example": true})));
        assert!(!ann().is_in_json(&json!(["joann@x.example", "ann@x.example.org", 7])));
    }
}
