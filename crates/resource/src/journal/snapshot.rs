//! A moment, as the set of transactions that had ended by then.

use serde::{Deserialize, Serialize};

/// Transactions that are looked at one by one: no server lets so many write at once.
const MOST_OPEN: usize = 10_000;

/// All transactions before `next` but those that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub(super) struct Snapshot {
    next: u64,
    /// In their order.
    open: Vec<u64>,
}

impl Snapshot {
    /// Before everything. (Ids of transactions begin with 3.)
    pub(super) const BEGINNING: Self = Self { next: 1, open: Vec::new() };

    /// What Postgres calls a snapshot, in its text form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').skip(1);
        let next = parts.next()?.parse().ok()?;
        let open = parts.next()?.split(',').filter(|id| !id.is_empty()).map(str::parse);
        Some(Self { next, open: open.collect::<Result<_, _>>().ok()? })
    }

    /// The same in Postgres' text form.
    pub(super) fn text(&self) -> String {
        let open: Vec<String> = self.open.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.open.first().unwrap_or(&self.next), self.next, open.join(","))
    }

    /// As it is, with the ids before `drawn` known as open where they are not before `next`.
    ///
    /// What Postgres calls the end of a snapshot is the first id after the last that has ended: ids from there on may have
    /// been given away already, to transactions that wrote before the snapshot was taken. An id that is drawn afterwards
    /// is beyond all of these. None if they are too many, which they no longer are once the drawing transaction ends.
    pub(super) fn up_to(mut self, drawn: u64) -> Option<Self> {
        let given = usize::try_from(drawn.saturating_sub(self.next)).unwrap_or(usize::MAX);
        if self.open.len().saturating_add(given) > MOST_OPEN {
            return None;
        }
        self.open.extend(self.next..drawn);
        self.next = self.next.max(drawn);
        Some(self)
    }

    /// Without what began at `end` or later.
    pub(super) fn before(mut self, end: u64) -> Self {
        self.next = self.next.min(end);
        self.open.retain(|id| *id < end);
        self
    }

    #[cfg(test)]
    pub(super) fn until(self, next: u64) -> Self {
        Self { next, ..self }
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn sees(&self, transaction: u64) -> bool {
        transaction < self.next && self.open.binary_search(&transaction).is_err()
    }

    /// Whether all that `other` sees is seen here.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let beyond = other.next.saturating_sub(self.next);
        let open_beyond = other.open.iter().filter(|id| **id >= self.next).count() as u64;
        open_beyond == beyond && !self.open.iter().any(|id| other.sees(*id))
    }

    /// Transactions that were open, and had ended when `later` was taken.
    pub(super) fn ended_until(&self, later: &Self) -> impl Iterator<Item = u64> {
        self.open.iter().copied().filter(|id| later.sees(*id))
    }

    /// Whether something is swept that was not seen and is not open any more: all up to `floor` may be swept.
    pub(super) fn has_missed(&self, floor: u64, later: &Self) -> bool {
        floor >= self.next || self.ended_until(later).any(|id| id <= floor)
    }
}

/// Short: how far each lies before the end.
impl From<Snapshot> for Vec<u64> {
    fn from(Snapshot { next, open }: Snapshot) -> Self {
        std::iter::once(next).chain(open.into_iter().rev().map(|id| next - id)).collect()
    }
}

impl TryFrom<Vec<u64>> for Snapshot {
    type Error = &'static str;

    fn try_from(numbers: Vec<u64>) -> Result<Self, Self::Error> {
        let (next, before) = numbers.split_first().ok_or("no end")?;
        let is_ordered = before.first().is_none_or(|first| *first > 0) && before.is_sorted_by(|one, other| one < other);
        let is_sound = *next > 0 && before.last().is_none_or(|last| last < next) && before.len() <= MOST_OPEN;
        if !is_ordered || !is_sound {
            return Err("no snapshot");
        }
        Ok(Self { next: *next, open: before.iter().rev().map(|distance| next - distance).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        Snapshot::parse(text).unwrap()
    }

    #[test]
    fn what_is_seen_is_what_postgres_says() {
        let check = |text: &str, seen: &[u64], unseen: &[u64]| {
            let snapshot = snapshot(text);
            assert_eq!(snapshot.text(), text);
            assert!(seen.iter().all(|id| snapshot.sees(*id)), "{text}");
            assert!(!unseen.iter().any(|id| snapshot.sees(*id)), "{text}");
        };
        check("10:10:", &[3, 9], &[10, 11]);
        check("10:20:10,14,15", &[9, 11, 13, 16, 19], &[10, 14, 15, 20]);
        check("1:1:", &[], &[1, 3]);
        for none in ["", "10", "10:20", "x:y:", "10:20:a", "10:-1:"] {
            assert_eq!(Snapshot::parse(none), None, "{none}");
        }
    }

    #[test]
    fn ids_that_were_given_away_beyond_the_end_are_open() {
        assert_eq!(snapshot("10:20:10").up_to(23).unwrap().text(), "10:23:10,20,21,22");
        assert_eq!(snapshot("20:20:").up_to(20).unwrap().text(), "20:20:");
        assert_eq!(snapshot("20:20:").up_to(19).unwrap().text(), "20:20:");
        assert!(snapshot("20:20:").up_to(10_020).is_some());
        assert_eq!(snapshot("20:20:").up_to(10_021), None);
    }

    #[test]
    fn what_is_swept_is_missed_by_those_who_have_not_seen_it() {
        let check = |seen: &str, floor, later: &str, missed| {
            assert_eq!(snapshot(seen).has_missed(floor, &snapshot(later)), missed, "{seen} {floor} {later}");
        };
        check("20:20:", 19, "30:30:", false);
        check("20:20:", 20, "30:30:", true);
        check("12:20:12", 11, "30:30:", false);
        check("12:20:12", 12, "30:30:", true);
        // Still open: nothing that it wrote can be swept.
        check("12:20:12", 15, "12:30:12", false);
    }

    #[test]
    fn of_two_moments_the_later_one_covers_the_earlier_however_far_each_knows_ids() {
        let check = |one: &str, other: &str, covers| {
            assert_eq!(snapshot(one).covers(&snapshot(other)), covers, "{one} {other}");
        };
        check("20:20:", "20:20:", true);
        check("30:30:", "12:20:12", true);
        check("12:20:12", "30:30:", false);
        check("12:30:12", "12:20:12", true);
        check("12:30:12", "20:20:", false);
        // As far as both know, they see the same.
        check("20:20:", "20:23:20,21,22", true);
        check("20:20:", "20:23:20,22", false);
    }

    #[test]
    fn before_an_end_nothing_later_is_seen() {
        assert_eq!(snapshot("10:20:10,14").before(14).text(), "10:14:10");
        assert_eq!(snapshot("10:20:10,14").before(30).text(), "10:20:10,14");
    }

    proptest! {
        #[test]
        fn numbers_come_back(ids in prop::collection::btree_set(3_u64..1_000, 0..20), beyond in 0_u64..9) {
            let open: Vec<u64> = ids.into_iter().collect();
            let written = Snapshot { next: open.last().map_or(3, |last| last + 1) + beyond, open };
            let numbers = Vec::<u64>::from(written.clone());
            prop_assert_eq!(Snapshot::try_from(numbers), Ok(written));
        }

        #[test]
        fn no_numbers_panic_and_what_passes_is_a_snapshot(numbers in prop::collection::vec(0_u64..40, 0..6)) {
            if let Ok(read) = Snapshot::try_from(numbers) {
                prop_assert_eq!(Snapshot::parse(&read.text()), Some(read));
            }
        }
    }
}
