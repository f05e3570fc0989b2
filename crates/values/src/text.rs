//! Free text: what is kept of it and how long it may be.

use crate::Flaw;
use crate::shown::{is_forbidden, shows, trimmed};

/// How long a text may be, in characters, and whether it must be there.
#[derive(Debug, Clone, Copy)]
pub struct TextRule {
    max: usize,
    required: bool,
    lower: bool,
    lines: bool,
}

/// Up to `max` characters.
pub const fn within(max: usize) -> TextRule {
    TextRule { max, required: false, lower: false, lines: false }
}

/// 1 to `max` characters.
pub const fn required(max: usize) -> TextRule {
    TextRule { max, required: true, lower: false, lines: false }
}

impl TextRule {
    /// The same, kept in [lower case](lower_case).
    pub const fn in_lower_case(self) -> Self {
        Self { lower: true, ..self }
    }

    /// The same, of any number of lines: with line ends and tabs.
    pub const fn in_lines(self) -> Self {
        Self { lines: true, ..self }
    }

    /// The text as it is [kept].
    ///
    /// # Errors
    /// A required text shows nothing, it is too long, or it holds a character that breaks lines or turns the direction
    /// of what follows, and is not one of several lines. NUL is refused, too: Postgres could not store it.
    pub fn parse(self, text: &str) -> Result<String, Flaw> {
        let lower = self.lower.then(|| lower_case(text));
        let text = lower.as_deref().unwrap_or(text);
        let kept = kept(text);
        // At the ends as well, where other blanks are dropped: a line end tells of a field that was read wrong.
        let mut all = text.chars().filter(|character| !self.lines || !matches!(character, '\n' | '\r' | '\t'));
        let mut inside = kept.chars().filter(|character| !character.is_control());
        if all.any(char::is_control) || inside.any(is_forbidden) {
            let rule = if self.lines { FORBIDDEN_IN_LINES } else { FORBIDDEN };
            return Err(Flaw::new(Flaw::FORBIDDEN_CHARACTER, rule));
        }
        match kept.chars().count() {
            0 if self.required => Err(Flaw::missing()),
            length if length > self.max => Err(self.too_long()),
            _ => Ok(kept.to_owned()),
        }
    }

    fn too_long(self) -> Flaw {
        Flaw::new(Flaw::TOO_LONG, format!("must have at most {} characters", self.max))
    }
}

const FORBIDDEN_IN_LINES: &str =
    "must not contain control characters but tabs and line ends, nor any that turn the direction of text";
const FORBIDDEN: &str = "must not contain control characters, nor any that break lines or turn the direction of text";

/// A text as it is kept: as it was written, without blanks at its ends; empty if nothing of it shows.
pub fn kept(text: &str) -> &str {
    let text = trimmed(text);
    if shows(text) { text } else { "" }
}

/// The text in lower case. Turkish `İ` becomes `i`, as there, and not an `i` with a second dot.
pub fn lower_case(text: &str) -> String {
    text.to_lowercase().replace("i\u{307}", "i")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: TextRule, text: &str, expected: Result<&str, &str>) {
        let actual = rule.parse(text);
        assert_eq!(actual.as_deref().map_err(|flaw| flaw.reason), expected, "{text:?}");
    }

    #[test]
    fn text_is_trimmed_and_bounded_and_else_kept_as_it_was_written() {
        check(required(5), " Acme ", Ok("Acme"));
        check(required(5), "", Err(Flaw::REQUIRED));
        check(required(5), " \u{a0} ", Err(Flaw::REQUIRED));
        check(within(5), "", Ok(""));
        check(within(5), "sixsix", Err(Flaw::TOO_LONG));
        check(within(2), &"x".repeat(1000), Err(Flaw::TOO_LONG));
        check(within(5), &format!("{}Acme", " ".repeat(1000)), Ok("Acme"));
        for text in ["e\u{301}", "\u{fa10}", "\u{212b}", "日本語", "\u{1112}\u{1161}\u{11ab}"] {
            check(within(4), text, Ok(text));
        }
    }

    #[test]
    fn a_text_of_lines_has_line_ends_and_tabs_and_no_other_control_characters() {
        let rule = within(20).in_lines();
        check(rule, " one\r\n\ttwo\n", Ok("one\r\n\ttwo"));
        check(rule, "\n", Ok(""));
        check(required(20).in_lines(), "\n \t", Err(Flaw::REQUIRED));
        for text in ["a\0b", "a\u{b}", "a\u{85}b", "\u{7f}", "a\u{2028}b", "a\u{202e}b"] {
            check(rule, text, Err(Flaw::FORBIDDEN_CHARACTER));
        }
        check(rule, &"a\n".repeat(11), Err(Flaw::TOO_LONG));
    }

    #[test]
    fn text_that_shows_nothing_is_none() {
        for text in ["\u{200b}", "\u{feff}", "\u{202e}", "\u{200d}\u{200c}", "\u{3164}", "\u{2800}", "\u{ad} \u{2060}"]
        {
            check(required(5), text, Err(Flaw::REQUIRED));
            check(within(5), text, Ok(""));
        }
    }

    #[test]
    fn marks_at_the_ends_are_dropped_and_joiners_stay() {
        check(within(9), "\u{feff}Acme", Ok("Acme"));
        check(within(9), "\u{202a}Acme\u{202c}\u{200f}", Ok("Acme"));
        check(within(9), "\u{200b} Acme\u{2069} ", Ok("Acme"));
        for text in [
            "می\u{200c}خواهم",
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{2764}\u{fe0f}",
            "क्\u{200d}",
            "\u{1f3f4}\u{e0067}\u{e007f}",
        ] {
            check(within(9), text, Ok(text));
        }
    }

    #[test]
    fn characters_that_break_or_turn_a_line_are_refused() {
        for text in [
            "a\0b",
            "a\nb",
            "\u{7f}",
            "\u{85}x",
            "a\u{2028}b",
            "a\u{202e}b",
            "a\u{2067}b",
            "a\u{fff9}b",
            "a\u{fffe}b",
            "a\u{1ffff}b",
            "a\u{fdd0}b",
        ] {
            check(within(5), text, Err(Flaw::FORBIDDEN_CHARACTER));
        }
    }

    #[test]
    fn lower_case_has_one_dot_on_an_i() {
        assert_eq!(lower_case("İNŞAAT"), "inşaat");
        assert_eq!(lower_case("ΟΔΟΣ Straße"), "οδος straße");
    }
}
