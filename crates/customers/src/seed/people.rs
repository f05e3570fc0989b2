//! People, company by company.

use std::fmt::Write;

use crm_resource::Resource;
use crm_resource::seed::{Random, texts, time};
use crm_values::{Terms, name_key};
use uuid::Uuid;

use super::SeedSize;
use super::companies::{self, Company, people_up_to, updated};
use crate::contacts::Contact;

use super::words::{FAMILY, GIVEN, OWNERS, TITLES};

const KIND: u64 = 0x0c04_7ac7;
const DAY_MS: u64 = 24 * 3_600_000;

/// Lines of `copy`, one a person.
#[derive(Debug)]
pub(super) struct People {
    size: SeedSize,
    number: u32,
    company: u32,
    current: Option<Company>,
    /// People before the first of the current company.
    first: u64,
}

impl People {
    pub(super) fn new(size: SeedSize) -> Self {
        Self { size, number: 0, company: 0, current: None, first: 0 }
    }

    /// The person of this number, who must not come before the one asked for last.
    pub(super) fn person(&mut self, number: u32) -> Person {
        self.number = number;
        let company = self.company();
        person(&company, &mut Random::new(KIND, number))
    }

    /// The company of the next person.
    fn company(&mut self) -> Company {
        while self.company + 1 < self.size.accounts
            && u64::from(self.number) >= people_up_to(self.company + 1, self.size)
        {
            self.company += 1;
            self.first = people_up_to(self.company, self.size);
            self.current = None;
        }
        let number = self.company;
        self.current.get_or_insert_with(|| companies::company(number, &mut companies::random(number)).0).clone()
    }
}

impl Iterator for People {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.number >= self.size.contacts || self.size.accounts == 0 {
            return None;
        }
        let company = self.company();
        let place = u64::from(self.number) - self.first;
        let line = row(self.number, place, &company);
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

fn row(number: u32, place: u64, company: &Company) -> String {
    let mut random = Random::new(KIND, number);
    let Person { id, created, .. } = person(company, &mut random);
    let (given, family) = (*random.pick(&GIVEN), *random.pick(&FAMILY));
    let title = random.pick_early(&TITLES);
    // Whoever looks after the company looks after most of its people.
    let owner = if random.chance(80) { company.owner } else { *random.pick_early(&OWNERS) };
    let updated = updated(created, &mut random);
    let key = name_key(family);
    let (emails, phones) = (emails(given, family, place, company, &mut random), phones(&mut random));
    let mut terms = Terms::default();
    terms.person(("", given), ("", family));
    emails.split(',').for_each(|email| terms.address("", email));
    terms.phone("", &phones);
    let terms = texts(&terms.stored(Contact::KIND.terms));
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        line,
        "{id}\t{}\t{given}\t{family}\t{key}\t{title}\t{{{emails}}}\t{{{phones}}}\t{owner}\t{}\t{}\t{terms}",
        company.id,
        time(created),
        time(updated)
    );
    line
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
fn phones(random: &mut Random) -> String {
    const AREAS: [u64; 8] = [212, 303, 312, 415, 512, 617, 702, 808];
    match random.below(10) {
        0..=5 => format!("+1{}55501{:02}", random.pick(&AREAS), random.below(100)),
        6..=8 => format!("+4420794600{:02}", random.below(100)),
        _ => String::new(),
    }
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
    use super::*;
    use crm_values::{parse_email, parse_phone};

    #[test]
    fn people_are_as_many_as_asked_and_valid() {
        let size = SeedSize { accounts: 50, contacts: 1_000 };
        let lines: Vec<String> = People::new(size).collect();
        assert_eq!(lines.len(), 1_000);
        assert_eq!(lines, People::new(size).collect::<Vec<_>>());
        for line in lines {
            let columns: Vec<&str> = line.trim_end().split('\t').collect();
            assert_eq!(columns.len(), 12, "{line}");
            let list = |column: &str| column.trim_matches(['{', '}']).split(',').map(str::to_owned).collect::<Vec<_>>();
            assert!(list(columns[6]).iter().all(|email| parse_email(email).as_ref() == Ok(email)), "{line}");
            let is_phone = |phone: &String| phone.is_empty() || parse_phone(phone).as_ref() == Ok(phone);
            assert!(list(columns[7]).iter().all(is_phone), "{line}");
        }
    }
}
