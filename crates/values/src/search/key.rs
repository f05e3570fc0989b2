//! The key that names are searched by: the key of lists, without marks on letters and without punctuation.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::keys::fold;

/// The words of a text, with single spaces between them: in any case and width, without accents and punctuation.
///
/// Decomposed: who has typed half of a Korean syllable finds it. A text without letters and digits, such as `!!!`, is
/// its own key.
pub fn search_key(text: &str) -> String {
    let folded = fold(text);
    // There is nothing to be taken apart in most texts.
    let mut key = if folded.is_ascii() { plain_words(folded.chars()) } else { plain_words(folded.nfkd()) };
    key.truncate(key.trim_end().len());
    if key.is_empty() { folded.trim_end().to_owned() } else { key }
}

fn plain_words(characters: impl Iterator<Item = char>) -> String {
    let mut key = String::new();
    for character in characters.filter(|character| !is_accent(*character) && !is_apostrophe(*character)) {
        if !character.is_alphanumeric() && !is_combining_mark(character) {
            if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        } else if let Some(plain) = plain(character) {
            key.push_str(plain);
        } else {
            key.push(character);
        }
    }
    key
}

/// The words of a key.
pub(crate) fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(' ').filter(|word| !word.is_empty())
}

/// Marks that are left out when somebody types in a hurry: accents of Latin, Greek and Cyrillic letters, vowels of Hebrew
/// and Arabic. Marks of other scripts are letters to those who write them.
fn is_accent(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}'
    )
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{5f3}' | '`' | '\u{b4}')
}

/// Letters that Unicode does not take apart, as they are typed without them on the keyboard.
fn plain(character: char) -> Option<&'static str> {
    Some(match character {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_words_without_case_accents_and_punctuation() {
        for (text, key) in [
            ("  Acme,   Ltd. ", "acme ltd"),
            ("O'Brien & Söhne", "obrien sohne"),
            ("O\u{2019}Brien-Smith", "obrien smith"),
            ("İSTANBUL ıı", "istanbul ii"),
            ("Straße", "strasse"),
            ("e\u{301}clair É", "eclair e"),
            ("Łódź Ørsted Æther", "lodz orsted aether"),
            ("ＡＣＭＥ", "acme"),
            ("Ac\u{200b}me", "acme"),
            ("Йога ёлка", "иога елка"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("日本語 株式会社", "日本語 株式会社"),
            ("हिन्दी", "हिन्दी"),
            ("100% _real_", "100 real"),
            ("!!!", "!!!"),
            (" 🚀 ", "🚀"),
            ("Acme 🚀", "acme"),
            ("", ""),
        ] {
            assert_eq!(search_key(text), key, "{text:?}");
        }
        assert!(search_key("한국").starts_with(&search_key("하")), "half a syllable");
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key_and_holds_nothing_that_postgres_could_not(text in "\\PC{0,40}") {
            let key = search_key(&text);
            prop_assert!(!key.contains('\0'));
            prop_assert_eq!(search_key(&key), key);
        }
    }
}
