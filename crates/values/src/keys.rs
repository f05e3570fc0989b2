//! Texts as they are searched and sorted.
//!
//! Under row-level security Postgres uses only leakproof operators as index conditions, and `like` is not one of
//! them. A prefix is therefore asked as a range of keys on a column in byte order (collation "C"), which for UTF-8 is
//! the order of code points.

use ring::digest;
use unicode_normalization::UnicodeNormalization;

use crate::Flaw;
use crate::shown::{is_ignorable, trimmed};

/// Counts the ways in which keys, and terms of search, have been made. Who changes one of the functions that make them
/// adds one: `crm migrate` then makes those of all stored rows anew.
pub const KEYS: i32 = 3;

/// Longest key, in bytes: an index entry has a longest length, and one character can unfold to eighteen.
const MAX_BYTES: usize = 800;
/// What is left of a longer key; the rest of it is told by its hash.
const HEAD_BYTES: usize = 760;
/// Before the hash. No text holds it.
const CUT: char = '\u{1}';

/// The key of a name: compatibility-normalised (Unicode NFKC), case-folded, without what does not show, single spaces.
///
/// Two names have the same key exactly if they are the same by this measure: a key that would be too long ends with the
/// hash of the whole.
pub fn name_key(name: &str) -> String {
    let mut key = fold(name);
    key.truncate(key.trim_end().len());
    if key.len() <= MAX_BYTES {
        return key;
    }
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    key.truncate(key.floor_char_boundary(HEAD_BYTES));
    key.push(CUT);
    key.extend(hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")));
    key
}

/// The beginning of the keys of all names that begin with `prefix`, in any case.
pub fn name_key_prefix(prefix: &str) -> String {
    fold(prefix)
}

/// Whether keys can tell which names begin with `prefix`.
///
/// # Errors
/// Nothing of it shows, so that every name would; or it reaches beyond what is kept of long keys.
pub fn check_name_prefix(prefix: &str) -> Result<(), Flaw> {
    match name_key_prefix(prefix).len() {
        0 => Err(Flaw::missing()),
        1..=HEAD_BYTES => Ok(()),
        _ => Err(Flaw::new(Flaw::TOO_LONG, "is too long: names are searched by their first 760 bytes")),
    }
}

/// The key of a text that is compared as it is, such as a user's name in a token: Unicode NFC, without what does not
/// show and without blanks at the ends.
pub fn text_key(text: &str) -> String {
    let shown: String = trimmed(text).chars().filter(|character| !is_ignorable(*character)).nfc().collect();
    shown.trim().to_owned()
}

/// Folds without cutting space from the end: a prefix "acme " asks for a second word.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        // Most texts are such: all of it shows, and there is nothing to be composed.
        return spaced(text.chars().map(|character| character.to_ascii_lowercase()), text.len());
    }
    fold_any(text)
}

fn fold_any(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !is_ignorable(*character)).nfkc().flat_map(case_folded) {
        // What is left of `İ`: all four i's of Turkish are one.
        if !(character == '\u{307}' && folded.ends_with('i')) {
            folded.push(character);
        }
    }
    spaced(folded.nfkc(), folded.len())
}

/// With a single space wherever there is any.
fn spaced(characters: impl Iterator<Item = char>, bytes: usize) -> String {
    let mut key = String::with_capacity(bytes);
    for character in characters {
        if !character.is_whitespace() {
            key.push(character);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key
}

/// Unicode's full case folding, which is made from these three steps: `ẞ`, `ß` and `SS` become `ss`, all sigmas `σ`.
///
/// Character by character, so that what a name begins with does not change with what follows.
fn case_folded(character: char) -> impl Iterator<Item = char> {
    character.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_fold_case_width_and_space() {
        for (name, key) in [
            ("  Acme   Ltd ", "acme ltd"),
            ("ＡＣＭＥ", "acme"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
            ("E\u{301}clair", "éclair"),
            ("100% _real_", "100% _real_"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("\u{fb01}n", "fin"),
            ("\u{fa10}", "\u{585a}"),
            ("\u{212b}ngstr\u{f6}m", "ångström"),
            ("Ꭰꭰ", "ꭰꭰ"),
            ("ᾼΐ", "αιΐ"),
            ("a\u{2003}\u{3000}b", "a b"),
        ] {
            assert_eq!(name_key(name), key, "{name:?}");
        }
    }

    #[test]
    fn the_i_of_turkish_is_one() {
        for name in ["İstanbul", "I\u{307}STANBUL", "istanbul", "ISTANBUL", "ıstanbul", "i\u{307}stanbul"] {
            assert_eq!(name_key(name), "istanbul", "{name:?}");
        }
    }

    #[test]
    fn keys_pass_over_what_does_not_show() {
        for name in ["Ac\u{200b}me", "\u{feff}Acme", "Acme\u{fe0f}", "A\u{ad}c\u{200d}m\u{2060}e", "Acme \u{200b}"] {
            assert_eq!((name_key(name), text_key(name)), ("acme".to_owned(), "Acme".to_owned()), "{name:?}");
        }
        assert_eq!(name_key("می\u{200c}خواهم"), name_key("میخواهم"));
        assert_eq!(text_key("e\u{200b}\u{301}"), "é");
        assert_eq!(text_key("ＡｃＭＥ  ltd"), "ＡｃＭＥ  ltd");
    }

    #[test]
    fn long_keys_differ_where_names_do() {
        let (one, other) = ("\u{fdfa}".repeat(199), "\u{fdfa}".repeat(198));
        let (one, other) = (name_key(&(one + "a")), name_key(&(other + "b")));
        assert_ne!(one, other);
        assert_eq!((one.len() <= MAX_BYTES, &one[..700]), (true, &other[..700]));
        assert_eq!(name_key(&"\u{fdfa}".repeat(199)), name_key(&"\u{fdfa}".repeat(199)));
        // Whole up to the limit, so that order and prefixes are exact there.
        assert_eq!(name_key(&"\u{1f600}".repeat(200)), "\u{1f600}".repeat(200));
        assert_ne!(name_key(&format!("{}a", "ß".repeat(150))), name_key(&format!("{}b", "ß".repeat(150))));
    }

    #[test]
    fn prefixes_that_keys_cannot_tell_are_refused() {
        let check = |prefix: &str, reason: Option<&str>| {
            assert_eq!(check_name_prefix(prefix).err().map(|flaw| flaw.reason), reason, "{prefix:?}");
        };
        for prefix in ["", " ", "\u{a0}\u{3000}", "\u{200b}", "\u{feff} "] {
            check(prefix, Some(Flaw::REQUIRED));
        }
        check("a", None);
        check(&"a".repeat(760), None);
        check(&"a".repeat(761), Some(Flaw::TOO_LONG));
    }

    #[test]
    fn the_key_of_each_character_is_its_own_key() {
        let planes = (0..0x2_0000).chain(0xe_0000..0xe_1000);
        for character in planes.filter_map(char::from_u32) {
            let key = name_key(character.encode_utf8(&mut [0; 4]));
            assert_eq!(name_key(&key), key, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,40}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
            let key = text_key(&name);
            prop_assert_eq!(text_key(&key), key);
        }

        #[test]
        fn what_is_easily_folded_is_folded_as_anything(name in "[\\x00-\\x7f]{0,40}") {
            prop_assert_eq!(fold(&name), fold_any(&name));
        }

        #[test]
        fn words_are_found_by_their_beginning(name in "[a-zA-ZäÖéßİıΣσ%_ \u{200c}]{1,20}", length in 1usize..20) {
            // Space at a prefix's end asks for another word, also before what does not show.
            let prefix: String = name.chars().take(length).collect();
            let prefix = prefix.trim_end_matches(|last: char| last.is_whitespace() || is_ignorable(last));
            prop_assert!(name_key(&name).starts_with(&name_key_prefix(prefix)));
        }
    }
}
