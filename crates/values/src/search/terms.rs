//! What is kept of a record to find it by.

use super::{search_key, words};
use crate::alike::core;
use crate::email_key;
use crate::phone::national;

/// Longest stored term, in bytes, without the letters before it. What is beyond is compared when the record is read.
const MOST_BYTES: usize = 64;
/// So many words of a name can be found by their beginning, its first not counted.
const MOST_WORDS: usize = 8;

/// Where a term is from: each kind has a range of its own in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A whole name.
    Name,
    /// A name from a later word on.
    Word,
    /// An e-mail address or a domain.
    Address,
    /// The digits of a phone number behind the country code.
    Phone,
    /// The same, from the last digit to the first.
    PhoneEnd,
}

impl Place {
    /// Before the terms of this kind.
    const fn letter(self) -> char {
        match self {
            Self::Name => 'n',
            Self::Word => 'w',
            Self::Address => 'a',
            Self::Phone => 'p',
            Self::PhoneEnd => 'e',
        }
    }

    /// A key as it is stored, of the records that have this letter.
    pub fn stored(self, record: &str, key: &str) -> String {
        let mut term = record.to_owned();
        term.push(self.letter());
        term.push_str(&key[..key.floor_char_boundary(MOST_BYTES)]);
        term
    }

    /// The key in a stored term, as far as it was stored.
    pub fn key<'t>(record: &str, term: &'t str) -> &'t str {
        term.strip_prefix(record).and_then(|rest| rest.get(1..)).unwrap_or_default()
    }
}

/// A text that a record is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The field that it is in.
    pub field: &'static str,
    /// As people read it.
    pub text: String,
    /// What it is.
    pub place: Place,
    /// As it is compared.
    pub key: String,
}

/// All that a record is found by.
#[derive(Debug, Clone, Default)]
pub struct Terms(Vec<Term>);

impl Terms {
    /// The name of a thing: found by its beginning and by that of each word.
    pub fn name(&mut self, field: &'static str, text: &str) {
        let key = search_key(text);
        self.words(field, text, &key, "");
        self.add(field, text, Place::Name, key);
    }

    /// The name of a company: that without its legal form is its whole name, too.
    pub fn company(&mut self, field: &'static str, text: &str) {
        self.name(field, text);
        let core = core(&search_key(text)).to_owned();
        self.add(field, text, Place::Name, core);
    }

    /// The name of a person, in either order.
    pub fn person(&mut self, given: (&'static str, &str), family: (&'static str, &str)) {
        let text = [given.1, family.1].join(" ");
        let (key, turned) = (search_key(&text), search_key(&[family.1, given.1].join(" ")));
        self.words(given.0, text.trim(), &key, &turned);
        self.add(if given.1.is_empty() { family.0 } else { given.0 }, text.trim(), Place::Name, key);
        self.add(family.0, text.trim(), Place::Name, turned);
    }

    /// An e-mail address or a domain.
    pub fn address(&mut self, field: &'static str, text: &str) {
        self.add(field, text, Place::Address, email_key(text));
    }

    /// A phone number in E.164 form.
    pub fn phone(&mut self, field: &'static str, text: &str) {
        let digits = national(text);
        self.add(field, text, Place::Phone, digits.to_owned());
        self.add(field, text, Place::PhoneEnd, digits.chars().rev().collect());
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Term> {
        self.0.iter()
    }

    /// As they are stored, none twice; `record` is the letter of the record's kind.
    pub fn stored(&self, record: &str) -> Vec<String> {
        let mut all: Vec<String> = self.0.iter().map(|term| term.place.stored(record, &term.key)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The name from each later word on, but what the name in its other order begins with.
    fn words(&mut self, field: &'static str, text: &str, key: &str, turned: &str) {
        let later = key.match_indices(' ').map(|(space, _)| &key[space + 1..]).take(MOST_WORDS);
        for rest in later.filter(|rest| words(rest).next().is_some() && !turned.starts_with(rest)) {
            self.add(field, text, Place::Word, rest.to_owned());
        }
    }

    fn add(&mut self, field: &'static str, text: &str, place: Place, key: String) {
        let is_new = !self.0.iter().any(|term| term.place == place && term.key == key);
        // What no rule of today would let in must not keep the rest from being found.
        if is_new && !key.is_empty() && !key.contains('\0') {
            self.0.push(Term { field, text: text.to_owned(), place, key });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(fill: impl Fn(&mut Terms)) -> Vec<String> {
        let mut terms = Terms::default();
        fill(&mut terms);
        terms.stored("x")
    }

    #[test]
    fn names_are_kept_whole_and_from_each_word_on() {
        assert_eq!(stored(|terms| terms.name("name", "Acme Gear & Box")), ["xnacme gear box", "xwbox", "xwgear box"]);
        assert_eq!(stored(|terms| terms.company("name", "Acme Ltd.")), ["xnacme", "xnacme ltd", "xwltd"]);
        assert_eq!(stored(|terms| terms.name("name", "Acme")), ["xnacme"]);
        assert_eq!(stored(|terms| terms.name("name", "")), Vec::<String>::new());
        assert_eq!([Place::key("x", "xnacme ltd"), Place::key("x", "x"), Place::key("y", "xn")], ["acme ltd", "", ""]);
        assert_eq!(stored(|terms| terms.name("name", "1 2 3 4 5 6 7 8 9 0 11 12")).len(), 9);
        let long = stored(|terms| terms.name("name", &"語".repeat(100)));
        assert_eq!(long, [format!("xn{}", "語".repeat(21))]);
    }

    #[test]
    fn people_are_kept_in_both_orders() {
        let person = |given, family| stored(|terms| terms.person(("g", given), ("f", family)));
        assert_eq!(person("Ada", "Love"), ["xnada love", "xnlove ada"]);
        assert_eq!(person("Ada Mary", "Love"), ["xnada mary love", "xnlove ada mary", "xwmary love"]);
        assert_eq!(person("", "Love"), ["xnlove"]);
        assert_eq!(person("Ada", ""), ["xnada"]);
    }

    #[test]
    fn addresses_and_numbers_are_kept_as_they_are_compared() {
        assert_eq!(stored(|terms| terms.address("emails", "Ada@x.example")), ["xaada@x.example"]);
        assert_eq!(stored(|terms| terms.phone("phones", "+442079460018")), ["xe8100649702", "xp2079460018"]);
        assert_eq!(stored(|terms| terms.phone("phones", "+14155550123")), ["xe3210555514", "xp4155550123"]);
        assert_eq!(stored(|terms| terms.phone("phones", "call me")), Vec::<String>::new());
        assert_eq!(stored(|terms| terms.address("emails", "")), Vec::<String>::new());
    }
}
