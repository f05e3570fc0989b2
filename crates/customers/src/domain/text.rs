//! Free text: what is kept of it and how long it may be.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::Fault;

/// How long a text may be, in characters, and whether it must be there.
#[derive(Debug, Clone, Copy)]
pub struct TextRule {
    max: usize,
    required: bool,
}

/// Up to `max` characters.
pub const fn within(max: usize) -> TextRule {
    TextRule { max, required: false }
}

/// 1 to `max` characters.
pub const fn required(max: usize) -> TextRule {
    TextRule { max, required: true }
}

impl TextRule {
    /// The text as it is [kept].
    ///
    /// # Errors
    /// A required text is empty, it is too long, or it holds a control character. NUL is one of them: Postgres could
    /// not store it.
    pub fn parse(self, text: &str) -> Result<String, Fault> {
        if text.chars().any(char::is_control) {
            return Err(Fault::new(Fault::FORBIDDEN_CHARACTER, "must not contain control characters"));
        }
        // Checked before composing, too: composing a hostile megabyte is work for nothing.
        if text.len() > self.max.saturating_mul(LONGEST_CHARACTER) {
            return Err(self.too_long());
        }
        let kept = kept(text);
        match kept.chars().count() {
            0 if self.required => Err(Fault::missing()),
            length if length > self.max => Err(self.too_long()),
            _ => Ok(kept),
        }
    }

    fn too_long(self) -> Fault {
        Fault::new(Fault::TOO_LONG, format!("must have at most {} characters", self.max))
    }
}

/// Bytes per character allowed for before composing: several combining marks each, and space at the ends.
const LONGEST_CHARACTER: usize = 16;

/// A text as it is kept: composed and without space at its ends.
pub fn kept(text: &str) -> String {
    composed(text.trim())
}

/// The text in Unicode NFC: what looks the same is the same.
pub fn composed(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: TextRule, text: &str, expected: Result<&str, &str>) {
        let actual = rule.parse(text);
        assert_eq!(actual.as_deref().map_err(|fault| fault.reason), expected, "{text:?}");
    }

    #[test]
    fn text_is_trimmed_composed_and_bounded() {
        check(required(5), " Acme ", Ok("Acme"));
        check(required(5), "", Err(Fault::REQUIRED));
        check(required(5), " \u{a0} ", Err(Fault::REQUIRED));
        check(within(5), "", Ok(""));
        check(within(5), "sixsix", Err(Fault::TOO_LONG));
        check(within(2), &"x".repeat(1000), Err(Fault::TOO_LONG));
        check(within(5), "e\u{301}", Ok("é"));
        check(within(4), "日本語", Ok("日本語"));
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\0b", "a\nb", "\u{7f}", "\u{85}x"] {
            check(within(5), text, Err(Fault::FORBIDDEN_CHARACTER));
        }
    }
}
