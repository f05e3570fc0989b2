//! What shows of a text and what does not: Unicode's Default_Ignorable_Code_Point, blanks, and what misleads the eye.
//!
//! Joiners (U+200C, U+200D) and variation selectors do not show themselves, but change what stands beside them: Persian
//! and Hindi words, families of emoji. They stay where they are written, and only keys pass over them.

/// Whether a text without `character` looks the same where nothing stands beside it: Default_Ignorable_Code_Point.
pub(crate) fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether `character` means nothing at the end of a text: space, the mark of a file's byte order, the marks of
/// direction that come along when a text is copied from a screen.
pub(crate) fn is_blank(character: char) -> bool {
    let is_mark = matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    );
    is_mark || character.is_whitespace()
}

/// Whether `character` inside a text breaks its line, turns the direction of what follows, or is none at all.
pub(crate) fn is_forbidden(character: char) -> bool {
    let is_mark = matches!(
        character,
        '\u{2028}'..='\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fff9}'..='\u{fffb}'
    );
    is_mark || character.is_control() || u32::from(character) & 0xfffe == 0xfffe
}

/// Whether anything of `text` can be seen. Braille's blank is a symbol by its class and a space by its looks.
pub(crate) fn shows(text: &str) -> bool {
    text.chars().any(|character| !is_ignorable(character) && !is_blank(character) && character != '\u{2800}')
}

/// The text without blanks at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_known() {
        for text in
            ["", " \u{a0}\u{3000}", "\u{200b}", "\u{feff}", "\u{200d}", "\u{3164}", "\u{2800}", "\u{e0041}\u{fe0f}"]
        {
            assert!(!shows(text), "{text:?}");
        }
        for text in ["a", "\u{200b}.", "\u{1f469}\u{200d}\u{1f4bb}", "\u{301}", "\u{600}"] {
            assert!(shows(text), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn unicode_says_the_same(shown in "\\P{Default_Ignorable_Code_Point}", hidden in "\\p{Default_Ignorable_Code_Point}") {
            proptest::prop_assert!(!shown.chars().any(is_ignorable), "{:?}", shown);
            proptest::prop_assert!(hidden.chars().all(is_ignorable), "{:?}", hidden);
        }
    }
}
