//! What somebody who types is looking for.

use super::near::{MOST_LETTERS, meant};
use super::{Place, Term, Terms, begins_nearly, search_key, words};
use crate::email_key;
use crate::phone::{Typed, national};

/// How well a term fits, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// It is what was typed.
    Exact,
    /// It begins so.
    Prefix,
    /// Words of it begin so.
    Word,
    /// It would begin so, but for a typing error.
    Similar,
}

/// What was typed.
#[derive(Debug, Clone)]
pub struct Sought {
    key: String,
    address: String,
    number: Option<Typed>,
}

/// So many digits tell a number by its beginning, and so many by its end.
const LEAST_DIGITS: usize = 3;
const LEAST_LAST_DIGITS: usize = 4;

impl Sought {
    /// What a text looks for; nothing, if nothing of it shows.
    pub fn of(text: &str) -> Option<Self> {
        let key = search_key(text);
        let number = Typed::of(text);
        (!key.is_empty()).then(|| Self { key, address: email_key(text), number })
    }

    /// Beginnings of the terms that fit as they are.
    pub fn beginnings(&self) -> Vec<(Place, String)> {
        let mut all: Vec<_> = [Place::Name, Place::Word].map(|place| (place, self.key.clone())).into();
        all.push((Place::Address, self.address.clone()));
        // Words in another order than the name's: looked for by the longest, and compared when the record is read.
        if let Some(longest) = words(&self.key).max_by_key(|word| word.len()).filter(|word| *word != self.key) {
            all.extend([Place::Name, Place::Word].map(|place| (place, longest.to_owned())));
        }
        all.extend(self.number.iter().flat_map(of_number));
        all
    }

    /// Beginnings of what was typed, the shortest first: where few terms begin so, errors behind it need no guess.
    pub fn heads(&self) -> Vec<(Place, Vec<String>)> {
        let typed = if self.is_address() { &self.address } else { &self.key };
        let ends = typed.char_indices().map(|(end, _)| end).skip(1).take(MOST_LETTERS);
        let heads: Vec<String> = ends.map(|end| typed[..end].to_owned()).collect();
        if heads.len() < 2 {
            return Vec::new();
        }
        self.places().iter().map(|place| (*place, heads.clone())).collect()
    }

    /// Beginnings of terms that fit but for an error before letter number `until`.
    pub fn meant(&self, until: usize) -> Vec<String> {
        meant(if self.is_address() { &self.address } else { &self.key }, until)
    }

    /// Whether a term with this key, of those that begin like one of the heads, fits but for an error.
    pub fn fits_nearly(&self, key: &str) -> bool {
        begins_nearly(key, if self.is_address() { &self.address } else { &self.key })
    }

    /// How well a record with these terms fits, and which of them does.
    pub fn rank<'t>(&self, terms: &'t Terms) -> Option<(Match, &'t Term)> {
        let fits = terms.iter().filter_map(|term| Some((self.fit(term)?, term)));
        // Who types an address means one, though a name may begin alike.
        let is_meant = |place: Place| self.is_address() == (place == Place::Address);
        fits.min_by_key(|(fit, term)| (*fit, !is_meant(term.place), term.place))
    }

    fn fit(&self, term: &Term) -> Option<Match> {
        let key = term.key.as_str();
        match term.place {
            Place::Name if key == self.key => Some(Match::Exact),
            Place::Name if key.starts_with(&self.key) => Some(Match::Prefix),
            Place::Word if key.starts_with(&self.key) => Some(Match::Word),
            Place::Name if self.all_words_begin(key) => Some(Match::Word),
            Place::Address if key == self.address => Some(Match::Exact),
            Place::Address if key.starts_with(&self.address) => Some(Match::Prefix),
            Place::Phone => self.number.as_ref().and_then(|number| fit_of_number(number, &term.text)),
            Place::Name | Place::Word if !self.is_address() && begins_nearly(key, &self.key) => Some(Match::Similar),
            Place::Address if self.is_address() && begins_nearly(key, &self.address) => Some(Match::Similar),
            _ => None,
        }
    }

    /// Whether each word that was typed begins a word of its own, in any order.
    fn all_words_begin(&self, key: &str) -> bool {
        let mut left: Vec<&str> = words(key).collect();
        let mut sought: Vec<&str> = words(&self.key).collect();
        // Longer ones first: they have fewer words to begin.
        sought.sort_by_key(|word| std::cmp::Reverse(word.len()));
        sought.iter().all(|word| {
            let found = left.iter().position(|other| other.starts_with(word));
            found.map(|place| left.remove(place)).is_some()
        })
    }

    /// Where errors are forgiven: nobody can tell a wrong digit, and addresses have names that are searched.
    fn places(&self) -> &'static [Place] {
        if self.is_address() { &[Place::Address] } else { &[Place::Name, Place::Word] }
    }

    fn is_address(&self) -> bool {
        self.address.contains(['@', '.']) && !self.address.contains(' ')
    }
}

/// Digits are those behind the country code, with or without the 0 that is dialled before them, those of the whole
/// number, or the last ones.
fn of_number(number: &Typed) -> Vec<(Place, String)> {
    let mut all = Vec::new();
    if number.digits.len() >= LEAST_DIGITS {
        all.extend(number.behind_code().map(|rest| (Place::Phone, rest.to_owned())));
        let home = Some(number.at_home()).filter(|home| !number.is_international && !home.is_empty());
        all.extend(home.map(|home| (Place::Phone, home.to_owned())));
    }
    let last = number.last.iter().filter(|digits| digits.len() >= LEAST_LAST_DIGITS);
    all.extend(last.map(|digits| (Place::PhoneEnd, digits.chars().rev().collect())));
    all
}

fn fit_of_number(number: &Typed, e164: &str) -> Option<Match> {
    let (whole, home, digits) = (e164.trim_start_matches('+'), national(e164), number.at_home());
    let is_whole = whole == number.digits || (!number.is_international && home == digits);
    let begins = whole.starts_with(&number.digits) || (!number.is_international && home.starts_with(digits));
    let is_long = number.digits.len() >= LEAST_DIGITS;
    let last = number.last.as_ref().filter(|last| last.len() >= LEAST_LAST_DIGITS);
    if is_whole {
        Some(Match::Exact)
    } else {
        let fits = (is_long && begins) || last.is_some_and(|last| home.ends_with(last.as_str()));
        fits.then_some(Match::Prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Terms {
        let mut terms = Terms::default();
        terms.person(("given_name", "Ada Mary"), ("family_name", "Lovelace"));
        terms.address("emails", "ada.l@acme.example");
        terms.phone("phones", "+442079460018");
        terms
    }

    fn check(typed: &str, expected: Option<(Match, &str)>) {
        let terms = person();
        let found = Sought::of(typed).and_then(|sought| sought.rank(&terms));
        assert_eq!(found.map(|(fit, term)| (fit, term.field)), expected, "{typed:?}");
    }

    #[test]
    fn terms_fit_exactly_or_by_beginning_or_by_word_or_but_for_an_error() {
        for typed in ["ada mary lovelace", "LOVELACE  Ada Mary", "Lovelace, Ada Mary"] {
            assert!(matches!(Sought::of(typed).unwrap().rank(&person()), Some((Match::Exact, _))), "{typed}");
        }
        check("ada", Some((Match::Prefix, "given_name")));
        check("love", Some((Match::Prefix, "family_name")));
        check("mary", Some((Match::Word, "given_name")));
        check("love mar", Some((Match::Word, "given_name")));
        check("mary ada", Some((Match::Word, "given_name")));
        check("loev", Some((Match::Similar, "family_name")));
        check("mray", Some((Match::Similar, "given_name")));
        check("ADA.L@", Some((Match::Prefix, "emails")));
        check("ada.l@acme.example", Some((Match::Exact, "emails")));
        check("ada.l@amce", Some((Match::Similar, "emails")));
        check("acme", None);
        check("ada ada", None);
        check("mary lovelace ada x", None);
        check("%", None);
        check("", None);
    }

    #[test]
    fn numbers_are_found_by_their_beginning_and_their_end_as_people_dial_them() {
        for typed in ["+442079", "+44 2", "0044 20", "020 7946", "2079460", "0018", "460018", "442079", "+44 (0)20 79"]
        {
            check(typed, Some((Match::Prefix, "phones")));
        }
        for typed in ["+44 20 7946 0018", "020 7946 0018", "02079460018", "442079460018"] {
            check(typed, Some((Match::Exact, "phones")));
        }
        for typed in ["+332079", "20", "018", "7946", "+44 21", "999", "1018", "+0018"] {
            check(typed, None);
        }
    }

    #[test]
    fn what_fits_is_among_what_is_looked_for() {
        let stored = person().stored("x");
        for typed in
            ["ada", "lovelace ada", "mary", "mary ada", "love mar", "ada.l@", "+442079", "020 79", "0018", "442079"]
        {
            let beginnings = Sought::of(typed).unwrap().beginnings();
            let mut wanted = beginnings.iter().map(|(place, key)| place.stored("x", key));
            assert!(wanted.any(|wanted| stored.iter().any(|term| term.starts_with(&wanted))), "{typed}");
        }
    }

    #[test]
    fn nothing_is_looked_for_that_shows_nothing() {
        for text in ["", " ", "\u{200b}", "\u{a0}\u{3000}"] {
            assert!(Sought::of(text).is_none(), "{text:?}");
        }
    }
}
