//! One typing error: a letter too many, one missing, another one, or two that changed places.

/// Errors are looked for among so many letters.
pub(super) const MOST_LETTERS: usize = 12;

/// Whether something that `key` begins with is `sought` but for one typing error.
///
/// Of three letters, only two may have changed places: a third of them says too little.
pub fn begins_nearly(key: &str, sought: &str) -> bool {
    let (key, sought): (Vec<char>, Vec<char>) = (key.chars().collect(), sought.chars().collect());
    let same = key.iter().zip(&sought).take_while(|(one, other)| one == other).count();
    let (key, rest) = (&key[same..], &sought[same..]);
    let goes_on = |skipped: usize, typed: usize| {
        key.get(skipped..).zip(rest.get(typed..)).is_some_and(|(key, rest)| key.starts_with(rest))
    };
    let swapped = matches!((key, rest), ([a, b, ..], [c, d, ..]) if (a, b) == (d, c)) && goes_on(2, 2);
    match sought.len() {
        0..=2 => rest.is_empty(),
        3 => rest.is_empty() || swapped,
        _ => rest.is_empty() || swapped || goes_on(1, 1) || goes_on(1, 0) || goes_on(0, 1),
    }
}

/// What may have been meant by `sought`, if the error is before its letter number `until`; the likeliest first.
pub(super) fn meant(sought: &str, until: usize) -> Vec<String> {
    let letters: Vec<char> = sought.chars().collect();
    let until = until.min(MOST_LETTERS).min(letters.len());
    let with = |at: usize, put: &[char], instead_of: usize| -> String {
        letters[..at].iter().chain(put).chain(letters.iter().skip(at + instead_of)).collect()
    };
    let is_swap = |at: &usize| letters.get(at + 1).is_some_and(|next| *next != letters[*at]);
    let mut all: Vec<String> =
        (0..until).filter(is_swap).map(|at| with(at, &[letters[at + 1], letters[at]], 2)).collect();
    if letters.len() < 4 {
        return all;
    }
    all.extend((0..until).map(|at| with(at, &[], 1)));
    // Whatever stands in the place of the last letter: that is the beginning before it, which is there already.
    let alphabet = alphabet(&letters);
    let others = |(at, typed): (usize, &char), instead_of: usize| -> Vec<String> {
        alphabet.iter().filter(|other| *other != typed).map(|other| with(at, &[*other], instead_of)).collect()
    };
    let typed = || letters.iter().enumerate().take(until);
    all.extend(typed().take(letters.len() - 1).flat_map(|place| others(place, 1)));
    all.extend(typed().flat_map(|place| others(place, 0)));
    all
}

/// Letters in their scripts: what may be missing is of the script that was typed. Scripts with more letters than these
/// have no such errors: characters are chosen there from a list.
const SCRIPTS: [(char, char); 9] = [
    ('a', 'z'),
    ('0', '9'),
    ('α', 'ω'),
    ('а', 'я'),
    ('א', 'ת'),
    ('ا', 'ي'),
    ('\u{1100}', '\u{1112}'),
    ('\u{1161}', '\u{1175}'),
    ('\u{11a8}', '\u{11c2}'),
];

fn alphabet(letters: &[char]) -> Vec<char> {
    let typed = SCRIPTS.iter().filter(|(first, last)| letters.iter().any(|letter| (first..=last).contains(&letter)));
    typed.flat_map(|(first, last)| *first..=*last).chain([' ']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_error_is_forgiven_wherever_it_is() {
        for sought in
            ["lovelace", "lovlace", "lovvelace", "lowelace", "olvelace", "lovelaec", "xovelace", "ovelace", "love"]
        {
            assert!(begins_nearly("lovelace ada", sought), "{sought}");
        }
        for sought in ["lvoeleca", "xxvelace", "lovelaceada x", "x", "vo"] {
            assert!(!begins_nearly("lovelace ada", sought), "{sought}");
        }
    }

    #[test]
    fn few_letters_say_too_little() {
        assert!(begins_nearly("ada", "aad"));
        assert!(!begins_nearly("ada", "adx"));
        assert!(!begins_nearly("ada", "da"));
        assert_eq!(meant("aad", 12), ["ada"]);
        assert!(meant("aa", 12).is_empty());
    }

    #[test]
    fn letters_are_of_the_script_that_was_typed() {
        assert_eq!(alphabet(&['o', 'k', '7']).len(), 26 + 10 + 1);
        assert_eq!(alphabet(&['語']), [' ']);
        assert!(meant("ивнов", 12).contains(&"иванов".to_owned()));
    }

    proptest! {
        /// Either what was meant is among the guesses, or the error comes later.
        #[test]
        fn what_is_forgiven_is_guessed(key in "[a-c]{4,9}", sought in "[a-c]{4,8}", until in 0usize..9) {
            let guessed = meant(&sought, until).iter().any(|meant| key.starts_with(meant.as_str()));
            let head: String = sought.chars().take(until.min(sought.len() - 1)).collect();
            prop_assert!(!begins_nearly(&key, &sought) || guessed || key.starts_with(&head));
            prop_assert!(!guessed || begins_nearly(&key, &sought));
        }

        #[test]
        fn guesses_are_bounded(sought in "\\PC{0,200}") {
            prop_assert!(meant(&sought, 12).len() <= 12 * (2 + 2 * 150));
        }
    }
}
