//! Connections that are older than a change of the server: a schema that was altered, a server that had been read-only.
//!
//! What one of them has shown to be overtaken is overtaken in all that were opened before. They are closed when they are
//! taken from the pool the next time; those in use go on until they meet the change themselves.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the word of a server that it only reads holds for all. Meanwhile nobody opens connections to hear it again,
/// and those who read keep theirs.
const READ_ONLY_HOLDS: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(crate) struct Elders {
    dismissed: Moment,
    read_only: Moment,
}

/// When something happened last.
#[derive(Debug, Default)]
struct Moment(Mutex<Option<Instant>>);

impl Moment {
    fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It happens now, unless it did after `since`. Answers whether it does.
    fn happens(&self, since: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = last.is_none_or(|last| last <= since);
        if is_new {
            *last = Some(Instant::now());
        }
        is_new
    }
}

impl Elders {
    /// Whether a connection of this age may still be used.
    pub(crate) fn admit(&self, age: Duration) -> bool {
        self.dismissed.last().is_none_or(|dismissed| age <= dismissed.elapsed())
    }

    /// Dismisses all connections that are open now, unless that was done since this one was `taken`: then it was one of
    /// them.
    pub(crate) fn dismiss(&self, taken: Instant) {
        if self.dismissed.happens(taken) {
            tracing::warn!("database connections are older than a change of the server; opening new ones");
        }
    }

    /// A new connection only reads, so the server does.
    pub(crate) fn note_read_only(&self) {
        self.read_only.happens(Instant::now());
    }

    /// Whether a new connection would, too.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.last().is_some_and(|last| last.elapsed() < READ_ONLY_HOLDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn those_that_were_open_are_dismissed_and_younger_ones_admitted() {
        let elders = Elders::default();
        assert!(elders.admit(LONG));
        elders.dismiss(Instant::now());
        assert!(!elders.admit(LONG));
        assert!(elders.admit(Duration::ZERO));
    }

    #[test]
    fn one_finding_is_enough_for_all_who_were_under_way() {
        let elders = Elders::default();
        let taken = Instant::now();
        elders.dismiss(taken);
        let first = elders.dismissed.last();
        elders.dismiss(taken);
        assert_eq!(elders.dismissed.last(), first, "taken before, so it was one of them");
        elders.dismiss(Instant::now());
        assert!(elders.dismissed.last() > first);
    }

    #[test]
    fn read_only_is_what_a_new_connection_has_said() {
        let elders = Elders::default();
        assert!(!elders.is_read_only());
        elders.note_read_only();
        assert!(elders.is_read_only() && elders.admit(LONG), "those who read keep theirs");
    }
}
