//! Whether two names may be the same one's.

use strsim::osa_distance;

use crate::search::{search_key, words};

/// How alike two names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    /// But for case, accents, punctuation, the order of words and legal forms.
    Same,
    /// But for a letter or two, too, or for what one of them leaves out.
    Similar,
}

/// What companies are, behind what they are called.
const LEGAL_FORMS: &[&str] = &[
    "ab",
    "ag",
    "aps",
    "as",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "eg",
    "ev",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "mbh",
    "nv",
    "ohg",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "srl",
    "sro",
    "ug",
];

/// A company's key without its legal forms, unless nothing would be left.
pub(crate) fn core(key: &str) -> &str {
    match key.rsplit_once(' ') {
        Some((rest, last)) if LEGAL_FORMS.contains(&last) => core(rest),
        _ => key,
    }
}

/// A company's name as it is compared.
pub fn company_key(name: &str) -> String {
    core(&search_key(name)).to_owned()
}

/// Two names of companies, by their keys.
pub fn alike_companies(one: &str, other: &str) -> Option<Alike> {
    let (one, other) = (company_key(one), company_key(other));
    if one.is_empty() || other.is_empty() {
        None
    } else if sorted(&one) == sorted(&other) {
        Some(Alike::Same)
    } else {
        let longer = one.len().max(other.len());
        let is_part = longer > 4 && (begins_words(&one, &other) || begins_words(&other, &one));
        (is_part || is_near(&one, &other)).then_some(Alike::Similar)
    }
}

/// Two names of people: given and family name of each.
pub fn alike_people(one: (&str, &str), other: (&str, &str)) -> Option<Alike> {
    let whole = |(given, family): (&str, &str)| search_key(&[given, family].join(" "));
    let (whole_one, whole_other) = (whole(one), whole(other));
    if whole_one.is_empty() || whole_other.is_empty() {
        return None;
    }
    if sorted(&whole_one) == sorted(&whole_other) {
        return Some(Alike::Same);
    }
    let [given, other_given, family, other_family] = [one.0, other.0, one.1, other.1].map(search_key);
    let has_both = ![&given, &other_given, &family, &other_family].into_iter().any(String::is_empty);
    // `J.` and `Jon` may be John and Jonathan; of families, nothing is left out.
    let shortened = given.starts_with(&other_given) || other_given.starts_with(&given);
    let is_similar = |one: &str, other: &str| one == other || is_near(one, other);
    let in_order = has_both && (shortened || is_similar(&given, &other_given)) && is_similar(&family, &other_family);
    (in_order || is_near(&whole_one, &whole_other)).then_some(Alike::Similar)
}

/// Whether names with these keys may be alike, the keys of companies without their legal forms, or of people in the same
/// order: told without their records, so that no other record need be read.
pub fn may_be_alike(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one) || is_near(one, other) || sorted(one) == sorted(other)
}

/// An address without what its owner has put behind a `+`: it arrives in the same mailbox.
pub fn mailbox(email_key: &str) -> String {
    match email_key.rsplit_once('@').map(|(local, domain)| (local.split_once('+'), domain)) {
        Some((Some((local, _)), domain)) if !local.is_empty() => format!("{local}@{domain}"),
        _ => email_key.to_owned(),
    }
}

/// Names are compared letter by letter up to so many: nobody mistypes a longer one by one letter alone, and comparing
/// takes the square of it.
const MOST_LETTERS: usize = 64;

/// One error in four letters or more, two in eight or more.
fn is_near(one: &str, other: &str) -> bool {
    let (letters, other_letters) = (one.chars().count(), other.chars().count());
    let most = match letters.min(other_letters) {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    letters.max(other_letters) <= MOST_LETTERS
        && letters.abs_diff(other_letters) <= most
        && different_letters(one, other) <= 2 * most
        && osa_distance(one, other) <= most
}

/// How many letters one of them has that the other has not: an error makes two of these at most. Where letters share a place
/// here they seem to be one, so it may be fewer.
fn different_letters(one: &str, other: &str) -> usize {
    let mut letters = [0_i32; 64];
    one.chars().for_each(|letter| letters[letter as usize % 64] += 1);
    other.chars().for_each(|letter| letters[letter as usize % 64] -= 1);
    letters.iter().map(|count| count.unsigned_abs() as usize).sum()
}

fn begins_words(one: &str, other: &str) -> bool {
    one.strip_prefix(other).is_some_and(|rest| rest.starts_with(' '))
}

fn sorted(key: &str) -> Vec<&str> {
    let mut all: Vec<&str> = words(key).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_error_makes_two_different_letters_at_most(one in "[a-dä\u{144}]{0,9}", other in "[a-dä\u{144}]{0,9}") {
            prop_assert!(different_letters(&one, &other) <= 2 * osa_distance(&one, &other));
        }
    }

    #[test]
    fn companies_are_told_by_their_names_without_legal_forms() {
        for (one, other, expected) in [
            ("Acme Ltd.", "ACME", Some(Alike::Same)),
            ("Acme GmbH & Co. KG", "acme", Some(Alike::Same)),
            ("Straße AG", "STRASSE", Some(Alike::Same)),
            ("Müller Söhne", "Sohne Muller", Some(Alike::Same)),
            ("Globex", "Gobex", Some(Alike::Similar)),
            ("Acme", "Acme International", Some(Alike::Similar)),
            ("Acme", "Acne", Some(Alike::Similar)),
            ("Acme", "Acmegear", None),
            ("IBM", "ICM", None),
            ("AG", "Ltd", None),
            ("AG", "ag", Some(Alike::Same)),
            ("", "", None),
            ("!!!", "???", None),
        ] {
            assert_eq!(alike_companies(one, other), expected, "{one:?} {other:?}");
            assert_eq!(alike_companies(other, one), expected, "{other:?} {one:?}");
            let keys = [one, other].map(company_key);
            assert!(expected.is_none() || may_be_alike(&keys[0], &keys[1]), "{one:?} {other:?}");
        }
        let long = "x".repeat(200);
        assert_eq!(alike_companies(&long, &format!("{long}y")), None);
    }

    #[test]
    fn people_are_told_by_both_names() {
        for (one, other, expected) in [
            (("Ada", "Love"), ("ADA", "love"), Some(Alike::Same)),
            (("Ada", "Love"), ("Love", "Ada"), Some(Alike::Same)),
            (("Jon", "Smith"), ("Jonathan", "Smith"), Some(Alike::Similar)),
            (("J.", "Smith"), ("John", "Smith"), Some(Alike::Similar)),
            (("John", "Smith"), ("Jonh", "Smiht"), Some(Alike::Similar)),
            (("Zoë", "Brown"), ("Zoe", "Browne"), Some(Alike::Similar)),
            (("John", "Smith"), ("Jane", "Smith"), None),
            (("John", "Smith"), ("", "Smith"), None),
            (("", ""), ("", ""), None),
        ] {
            assert_eq!(alike_people(one, other), expected, "{one:?} {other:?}");
            assert_eq!(alike_people(other, one), expected, "{other:?} {one:?}");
            // In one order or the other.
            let keys = [one, other].map(|(given, family)| search_key(&[family, given].join(" ")));
            assert!(expected.is_none() || may_be_alike(&keys[0], &keys[1]), "{one:?} {other:?}");
        }
    }

    #[test]
    fn mailboxes_have_no_tags() {
        for (email, expected) in [
            ("ada+crm@x.example", "ada@x.example"),
            ("ada+a+b@x.example", "ada@x.example"),
            ("ada@x.example", "ada@x.example"),
            ("+x@x.example", "+x@x.example"),
            ("none", "none"),
        ] {
            assert_eq!(mailbox(email), expected);
        }
    }
}
