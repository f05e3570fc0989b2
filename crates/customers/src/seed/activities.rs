//! Activities on companies and people: the largest companies have the most.

use std::fmt::Write;

use crm_resource::seed::{Random, USERS, time};
use uuid::Uuid;

use super::companies::{self, updated};
use super::people::People;
use super::set::Set;
use super::words::{BODIES, CALLS, MEETINGS, TASKS};

const KIND: u64 = 0x00ac_7141;
const HOUR_MS: u64 = 3_600_000;
const NONE: &str = "\\N";

/// Lines of `copy`, one an activity: on an account and on a contact in turn.
#[derive(Debug)]
pub(super) struct Activities {
    set: Set,
    count: u32,
    number: u32,
    people: People,
}

/// What an activity is about.
struct Parent {
    resource: &'static str,
    id: Uuid,
    created: u64,
    owner: &'static str,
}

impl Activities {
    pub(super) fn new(set: Set, count: u32) -> Self {
        Self { set, count, number: 0, people: People::new(set) }
    }

    fn parent(&mut self) -> Parent {
        let (nth, half) = (u64::from(self.number / 2), u64::from(self.count.div_ceil(2)));
        let size = self.set.size;
        if self.number.is_multiple_of(2) {
            // Half of the activities are on a quarter of the accounts, of a large set an eighth, the first of which are the
            // largest.
            let number = share(nth, half, if self.set.is_large() { 3 } else { 2 }, size.accounts);
            let (company, ..) = companies::company(self.set, number);
            Parent { resource: "accounts", id: company.id, created: company.created, owner: company.owner }
        } else {
            let person = self.people.person(share(nth, half, 1, size.contacts));
            Parent { resource: "contacts", id: person.id, created: person.created, owner: person.owner }
        }
    }
}

/// Where `nth` of `all` is among `of`, when its share is taken to this power.
fn share(nth: u64, all: u64, power: u32, of: u32) -> u32 {
    let whole = |number: u64| u128::from(number).pow(power);
    u32::try_from(whole(nth) * u128::from(of) / whole(all).max(1)).unwrap_or_default()
}

impl Iterator for Activities {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.number >= self.count || self.set.size.accounts == 0 || self.set.size.contacts == 0 {
            return None;
        }
        let parent = self.parent();
        let line = row(self.set, self.number, &parent);
        self.number += 1;
        Some(line)
    }
}

/// What the kinds have of their own.
struct Own {
    kind: &'static str,
    subject: &'static str,
    due: Option<u64>,
    done: Option<u64>,
    start: Option<u64>,
    seconds: Option<u64>,
}

fn row(set: Set, number: u32, parent: &Parent) -> String {
    let mut random = set.random(KIND, number);
    let created = updated(parent.created, &mut random);
    let id = random.id(created);
    let owner = if random.chance(80) { parent.owner } else { *random.pick_early(&USERS) };
    let creator = if random.chance(70) { owner } else { *random.pick_early(&USERS) };
    let Own { kind, subject, due, done, start, seconds } = own(created, &mut random);
    let body = if kind == "note" || random.chance(30) { *random.pick(&BODIES) } else { "" };
    let updated = done.unwrap_or_else(|| updated(created, &mut random));
    let is_done = if kind == "task" { if done.is_some() { "t" } else { "f" } } else { NONE };
    let at = |moment: Option<u64>| moment.map_or(NONE.to_owned(), time);
    let seconds = seconds.map_or(NONE.to_owned(), |seconds| seconds.to_string());
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        line,
        "{id}\t{kind}\t{}\t{}\t{subject}\t{body}\t{owner}\t{}\t{is_done}\t{}\t{}\t{seconds}\t{creator}\t{}\t{}",
        parent.resource,
        parent.id,
        at(due),
        at(done),
        at(start),
        time(created),
        time(updated)
    );
    line
}

fn own(created: u64, random: &mut Random) -> Own {
    let none = Own { kind: "note", subject: "", due: None, done: None, start: None, seconds: None };
    match random.below(10) {
        0..=2 => none,
        3..=5 => {
            let start = created.saturating_sub(random.below(2 * HOUR_MS));
            let (subject, seconds) = (*random.pick(&CALLS), 30 + random.below(1_800));
            Own { kind: "call", subject, start: Some(start), seconds: Some(seconds), ..none }
        }
        6 => {
            let start = created + random.below(21 * 24) * HOUR_MS;
            let (subject, seconds) = (*random.pick(&MEETINGS), 1_800 * (1 + random.below(4)));
            Own { kind: "meeting", subject, start: Some(start), seconds: Some(seconds), ..none }
        }
        _ => {
            let subject = *random.pick(&TASKS);
            let due = random.chance(90).then(|| created + (1 + random.below(60 * 24)) * HOUR_MS);
            let done = random.chance(70).then(|| updated(created, random));
            Own { kind: "task", subject, due, done, ..none }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::seed::SeedSize;

    #[test]
    fn activities_are_as_many_as_asked_of_every_kind_for_both_parents_and_the_same_in_every_run() {
        let set = Set::demo(SeedSize { accounts: 50, contacts: 400 });
        let lines: Vec<String> = Activities::new(set, 1_001).collect();
        assert_eq!(lines.len(), 1_001);
        assert_eq!(lines, Activities::new(set, 1_001).collect::<Vec<_>>());
        let columns: Vec<Vec<&str>> = lines.iter().map(|line| line.trim_end().split('\t').collect()).collect();
        assert!(columns.iter().all(|columns| columns.len() == 15));
        let kinds: HashSet<_> = columns.iter().map(|columns| (columns[1], columns[2])).collect();
        assert_eq!(kinds.len(), 8, "{kinds:?}");
        let ids: HashSet<_> = columns.iter().map(|columns| columns[0]).collect();
        assert_eq!(ids.len(), 1_001);
        let first = columns.iter().filter(|row| row[3] == columns[0][3]).count();
        assert!(first > 40, "the largest account has {first}");
    }

    #[test]
    fn people_are_those_that_are_seeded() {
        let set = Set::large(1, SeedSize { accounts: 50, contacts: 400 });
        let people: HashSet<String> =
            People::new(set).map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect();
        let lines: Vec<String> = Activities::new(set, 300).collect();
        let of_people = lines.iter().filter(|line| line.contains("\tcontacts\t"));
        assert!(of_people.clone().count() == 150);
        assert!(of_people.map(|line| line.split('\t').nth(3).unwrap_or_default()).all(|id| people.contains(id)));
    }
}
