//! Text that becomes part of a comparison.

/// The text with `%`, `_` and `\` escaped, for `like`.
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The first text after all that begin with `prefix`, in the order of code points (`collate "C"`); `None` if there is none.
///
/// Under row-level security `like` is not leakproof and so never an index condition; `name >= $1 and name < $2` is.
pub fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(next) = following(last) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The code point after this one, leaping over the surrogates.
fn following(character: char) -> Option<char> {
    (u32::from(character) + 1..=u32::from(char::MAX)).find_map(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_in_text_are_escaped() {
        assert_eq!(escape_like(r"50%_\x"), r"50\%\_\\x");
    }

    #[test]
    fn first_text_after_a_prefix() {
        let check =
            |prefix: &str, expected: Option<&str>| assert_eq!(after_prefix(prefix).as_deref(), expected, "{prefix:?}");
        check("acme", Some("acmf"));
        check("", None);
        check("a\u{d7ff}", Some("a\u{e000}"));
        check("a\u{10ffff}", Some("b"));
        check("\u{10ffff}\u{10ffff}", None);
    }

    proptest! {
        #[test]
        fn texts_with_the_prefix_and_no_others_are_between(prefix in "\\PC{1,8}", rest in "\\PC{0,8}", other in "\\PC{0,12}") {
            let after = after_prefix(&prefix);
            let between = |text: &str| text >= prefix.as_str() && after.as_deref().is_none_or(|after| text < after);
            let begun = format!("{prefix}{rest}");
            prop_assert!(between(&begun));
            prop_assert_eq!(between(&other), other.starts_with(&prefix));
        }
    }
}
