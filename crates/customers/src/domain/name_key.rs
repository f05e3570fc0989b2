//! Names as they are searched and sorted.
//!
//! Under row-level security Postgres uses only leakproof operators as index conditions, and `like` is not one of
//! them. A prefix is therefore asked as a range of keys on a column in byte order (collation "C"), which for UTF-8 is
//! the order of code points.

use unicode_normalization::UnicodeNormalization;

/// Characters of a name that count. One character can unfold to eighteen, and an index entry has a longest length.
const KEY_CHARACTERS: usize = 200;

/// The key of a name: compatibility-normalised (Unicode NFKC), lower case, single spaces, cut to 200 characters.
///
/// Lower case is taken per character and all sigmas become `σ`, so that what a name begins with does not change
/// with what follows.
pub fn name_key(name: &str) -> String {
    fold(name).trim_end().to_owned()
}

/// The beginning of the keys of all names that begin with `prefix`, in any case.
pub fn name_key_prefix(prefix: &str) -> String {
    fold(prefix)
}

/// Folds without cutting space from the end: a prefix "acme " asks for a second word.
fn fold(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for character in text.trim_start().nfkc().flat_map(char::to_lowercase).nfkc().take(KEY_CHARACTERS) {
        match character {
            'ς' => key.push('σ'),
            space if space.is_whitespace() => push_space(&mut key),
            other => key.push(other),
        }
    }
    key
}

fn push_space(key: &mut String) {
    if !key.is_empty() && !key.ends_with(' ') {
        key.push(' ');
    }
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
        ] {
            assert_eq!(name_key(name), key, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,40}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
        }

        #[test]
        fn words_are_found_by_their_beginning(name in "[a-zA-ZäÖéΣσ%_ ]{1,20}", length in 1usize..20) {
            let prefix: String = name.chars().take(length).collect();
            prop_assert!(name_key(&name).starts_with(&name_key_prefix(prefix.trim_end())));
        }
    }
}
