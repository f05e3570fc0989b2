//! People, company by company.

use std::fmt::Write;

use crm_resource::Resource;
use crm_resource::seed::{Random, USERS, texts, time};
use crm_values::{Terms, name_key};
use uuid::Uuid;

use super::companies::{self, Company, people_up_to, updated};
use super::set::Set;
use super::tags;
use super::words::TITLES;
use crate::contacts::Contact;

const KIND: u64 = 0x0c04_7ac7;
const DAY_MS: u64 = 24 * 3_600_000;

/// Lines of `copy`, one a person.
#[derive(Debug)]
pub(super) struct People {
    set: Set,
    number: u32,
    company: u32,
    current: Option<Company>,
    /// People before the first of the current company.
    first: u64,
    /// What the person told last is found by.
    last: Found,
}

/// What somebody is found by.
#[derive(Debug, Clone, Default)]
struct Found {
    given: String,
    family: String,
    /// With commas between them.
    emails: String,
    phone: String,
}

impl People {
    pub(super) fn new(set: Set) -> Self {
        Self { set, number: 0, company: 0, current: None, first: 0, last: Found::default() }
    }

    /// The person of this number, who must not come before the one asked for last.
    pub(super) fn person(&mut self, number: u32) -> Person {
        self.number = number;
        let company = self.company();
        person(&company, &mut self.set.random(KIND, number))
    }

    /// The company of the next person.
    fn company(&mut self) -> Company {
        let size = self.set.size;
        while self.company + 1 < size.accounts && u64::from(self.number) >= people_up_to(self.company + 1, size) {
            self.company += 1;
            self.first = people_up_to(self.company, size);
            self.current = None;
        }
        let (set, number) = (self.set, self.company);
        self.current.get_or_insert_with(|| companies::company(set, number).0).clone()
    }
}

impl Iterator for People {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.number >= self.set.size.contacts || self.set.size.accounts == 0 {
            return None;
        }
        let company = self.company();
        let line = self.row(&company);
        self.number += 1;
        Some(line)
    }
}

/// What activities need to know of a contact.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: Uuid,
    /// In milliseconds since 1970.
    pub(super) created: u64,
    /// Who looks after the company.
    pub(super) owner: &'static str,
}

fn person(company: &Company, random: &mut Random) -> Person {
    let created = company.created + random.below(90 * DAY_MS);
    Person { id: random.id(created), created, owner: company.owner }
}

impl People {
    fn row(&mut self, company: &Company) -> String {
        let mut random = self.set.random(KIND, self.number);
        let Person { id, created, .. } = person(company, &mut random);
        let (given, family) = self.set.person(&mut random);
        let title = random.pick_early(&TITLES);
        // Whoever looks after the company looks after most of its people.
        let owner = if random.chance(80) { company.owner } else { *random.pick_early(&USERS) };
        let updated = updated(created, &mut random);
        let place = u64::from(self.number) - self.first;
        let emails = emails(&given, &family, place, company, &mut random);
        let phone = if self.set.is_large() { own_phone(self.number, &mut random) } else { phone(&mut random) };
        let mut found = Found { given, family, emails, phone };
        if self.set.is_double(self.number) {
            found = double(&self.last, found, &mut random);
        }
        let Found { given, family, emails, phone } = &found;
        let mut terms = Terms::default();
        terms.person(("", given), ("", family));
        emails.split(',').for_each(|email| terms.address("", email));
        terms.phone("", phone);
        let (terms, tags) = (texts(&terms.stored(Contact::KIND.terms)), tags::of_contact(self.set, self.number));
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            line,
            "{id}\t{}\t{given}\t{family}\t{}\t{title}\t{{{emails}}}\t{{{phone}}}\t{owner}\t{}\t{}\t{terms}\t{tags}",
            company.id,
            name_key(family),
            time(created),
            time(updated)
        );
        self.last = found;
        line
    }
}

/// The one before once more, as somebody else has entered it.
fn double(last: &Found, own: Found, random: &mut Random) -> Found {
    let last = last.clone();
    match random.below(4) {
        // By the name, and nothing else.
        0 => Found { given: last.given, family: last.family, ..own },
        1 => Found { emails: last.emails, ..last },
        2 => Found { given: last.given.chars().take(1).collect(), emails: own.emails, ..last },
        // Two letters have changed places.
        _ => Found { family: swapped(&last.family), phone: own.phone, ..last },
    }
}

fn swapped(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() > 3 {
        letters.swap(1, 2);
    }
    letters.into_iter().collect()
}

/// One address for most, two for some.
fn emails(given: &str, family: &str, place: u64, company: &Company, random: &mut Random) -> String {
    // Namesakes in a large company are told apart by a number.
    let number = if place < 20 { String::new() } else { place.to_string() };
    let (given, family) = (plain(given), plain(family));
    let first = format!("{given}.{family}{number}@{}", company.domain);
    if random.chance(15) { format!("{first},{given}{number}@mail.{}", company.domain) } else { first }
}

/// Numbers that are reserved for fiction: 555-01xx in North America, 020 7946 0xxx in London.
fn phone(random: &mut Random) -> String {
    const AREAS: [u64; 8] = [212, 303, 312, 415, 512, 617, 702, 808];
    match random.below(10) {
        0..=5 => format!("+1{}55501{:02}", random.pick(&AREAS), random.below(100)),
        6..=8 => format!("+4420794600{:02}", random.below(100)),
        _ => String::new(),
    }
}

/// A number that nobody else of the tenant has: behind area codes that North America keeps for later.
fn own_phone(number: u32, random: &mut Random) -> String {
    if random.chance(10) {
        return String::new();
    }
    let (line, rest) = (number % 10_000, number / 10_000);
    format!("+1{}9{}{}{line:04}", 2 + rest % 8, rest / 8 % 10, 555 + rest / 80)
}

/// A name as it stands in an address.
fn plain(name: &str) -> String {
    let letter = |letter| match letter {
        'á' | 'ã' => "a",
        'é' | 'ë' => "e",
        'í' => "i",
        'ö' => "oe",
        'ü' => "ue",
        _ => "",
    };
    let mut plain = String::with_capacity(name.len());
    for character in name.to_lowercase().chars() {
        match character {
            ascii if ascii.is_ascii_alphabetic() => plain.push(ascii),
            other => plain.push_str(letter(other)),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crm_values::{parse_email, parse_phone};

    use super::*;
    use crate::seed::SeedSize;

    fn columns(set: Set) -> Vec<Vec<String>> {
        People::new(set).map(|line| line.trim_end_matches('\n').split('\t').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn people_are_as_many_as_asked_and_valid() {
        let size = SeedSize { accounts: 50, contacts: 1_000 };
        for set in [Set::demo(size), Set::large(2, size)] {
            let rows = columns(set);
            assert_eq!(rows.len(), 1_000);
            assert_eq!(rows, columns(set));
            for row in rows {
                assert_eq!(row.len(), 13, "{row:?}");
                let list =
                    |column: &str| column.trim_matches(['{', '}']).split(',').map(str::to_owned).collect::<Vec<_>>();
                assert!(list(&row[6]).iter().all(|email| parse_email(email).as_ref() == Ok(email)), "{row:?}");
                let is_phone = |phone: &String| phone.is_empty() || parse_phone(phone).as_ref() == Ok(phone);
                assert!(list(&row[7]).iter().all(is_phone), "{row:?}");
            }
        }
    }

    #[test]
    fn people_of_a_large_set_have_uneven_names_and_numbers_of_their_own_and_are_others_in_each_tenant() {
        let size = SeedSize { accounts: 500, contacts: 5_000 };
        let rows = columns(Set::large(1, size));
        let different = |column: usize| rows.iter().map(|row| &row[column]).collect::<HashSet<_>>().len();
        assert!(different(3) > 1_500, "{} family names", different(3));
        let commonest = rows.iter().filter(|row| row[3] == crate::seed::words::family(0)).count();
        assert!((100..300).contains(&commonest), "{commonest}");
        let phones = rows.iter().filter(|row| row[7] != "{}").count();
        assert!(different(7) > phones - 100, "but for doubles: {} of {phones}", different(7));
        let others: HashSet<String> = columns(Set::large(2, size)).into_iter().map(|row| row[0].clone()).collect();
        assert!(rows.iter().all(|row| !others.contains(&row[0])));
    }

    #[test]
    fn one_person_in_fifty_of_a_large_set_is_entered_twice() {
        let rows = columns(Set::large(1, SeedSize { accounts: 500, contacts: 5_000 }));
        let is_double = |pair: &[Vec<String>]| {
            let (one, other) = (&pair[0], &pair[1]);
            (one[3] == other[3] && one[2].starts_with(&other[2]))
                || (one[6] == other[6])
                || (one[2] == other[2] && one[3].len() == other[3].len() && swapped(&one[3]) == other[3])
        };
        let doubles = rows.windows(2).filter(|pair| is_double(pair)).count();
        assert!((100..110).contains(&doubles), "{doubles}");
    }
}
