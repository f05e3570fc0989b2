//! What was read last of a tenant's journal, once for all who watch it.
//!
//! The steps of one reader, in their order and numbered. Who stands at one takes the next from here; who comes too late for
//! it reads by himself. So a slow one holds nothing but a number.

use std::collections::VecDeque;
use std::sync::Arc;

use crm_proto::journal as pb;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::journal::Cursor;

/// Steps that are kept. At the fastest pace they are those of a second.
const MOST_STEPS: usize = 64;
const MOST_BYTES: usize = 1 << 20;
/// Beyond all numbers.
const CLOSED: u64 = u64::MAX;

/// What came between two cursors.
#[derive(Debug)]
pub(super) struct Step {
    /// With the transaction of each.
    pub(super) changes: Vec<(u64, pb::Change)>,
    pub(super) cursor: Cursor,
    /// The cursor, as readers keep it.
    pub(super) text: String,
    pub(super) bytes: usize,
}

/// What there is at a number.
#[derive(Debug)]
pub(super) enum Place {
    Here(Arc<Step>),
    NotYet,
    Gone,
}

#[derive(Debug, Default)]
pub(super) struct Shelf {
    steps: Mutex<Steps>,
    /// The number that the next step gets.
    next: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Steps {
    /// The number of the first.
    first: u64,
    all: VecDeque<Arc<Step>>,
    bytes: usize,
}

impl Shelf {
    pub(super) fn put(&self, step: Step) {
        let mut steps = self.steps.lock();
        // What was said of somebody who was erased is kept nowhere, and nobody knows here which steps say it.
        if step.changes.iter().any(|(_, change)| change.kind() == pb::change::Kind::Erased) {
            while !steps.all.is_empty() {
                steps.drop_first();
            }
        }
        steps.bytes += step.bytes;
        steps.all.push_back(Arc::new(step));
        while steps.all.len() > MOST_STEPS || (steps.bytes > MOST_BYTES && steps.all.len() > 1) {
            steps.drop_first();
        }
        let next = steps.next();
        drop(steps);
        self.next.send_replace(next);
    }

    /// No step comes any more: all readers go to the journal itself.
    pub(super) fn close(&self) {
        *self.steps.lock() = Steps { first: CLOSED, ..Steps::default() };
        self.next.send_replace(CLOSED);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.steps.lock().first == CLOSED
    }

    pub(super) fn at(&self, number: u64) -> Place {
        let steps = self.steps.lock();
        match number.checked_sub(steps.first).and_then(|place| usize::try_from(place).ok()) {
            None => Place::Gone,
            Some(place) => steps.all.get(place).map_or(Place::NotYet, |step| Place::Here(Arc::clone(step))),
        }
    }

    /// The number of the step that comes next, and of each that follows.
    pub(super) fn next(&self) -> watch::Receiver<u64> {
        self.next.subscribe()
    }
}

impl Steps {
    fn next(&self) -> u64 {
        self.first + self.all.len() as u64
    }

    fn drop_first(&mut self) {
        if let Some(step) = self.all.pop_front() {
            self.first += 1;
            self.bytes -= step.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(bytes: usize) -> Step {
        Step { changes: Vec::new(), cursor: Cursor::BEGINNING, text: String::new(), bytes }
    }

    #[test]
    fn steps_are_found_by_their_numbers_until_there_are_too_many_or_they_are_too_large() {
        let shelf = Shelf::default();
        assert!(matches!(shelf.at(0), Place::NotYet));
        for _ in 0..MOST_STEPS {
            shelf.put(step(1));
        }
        assert!(matches!(shelf.at(0), Place::Here(_)));
        assert_eq!(*shelf.next().borrow(), MOST_STEPS as u64);
        shelf.put(step(1));
        assert!(matches!((shelf.at(0), shelf.at(1)), (Place::Gone, Place::Here(_))));
        shelf.put(step(MOST_BYTES));
        let last = MOST_STEPS as u64 + 1;
        // However large, the last one is there.
        assert!(matches!((shelf.at(last - 1), shelf.at(last)), (Place::Gone, Place::Here(_))));
    }

    #[test]
    fn a_step_in_which_something_is_erased_leaves_none_before_it() {
        let shelf = Shelf::default();
        shelf.put(step(1));
        shelf.put(step(1));
        let mut erasure = step(1);
        let change = pb::Change { kind: pb::change::Kind::Erased.into(), ..Default::default() };
        erasure.changes.push((7, change));
        shelf.put(erasure);
        assert!(matches!((shelf.at(0), shelf.at(1), shelf.at(2)), (Place::Gone, Place::Gone, Place::Here(_))));
        shelf.put(step(1));
        assert!(matches!((shelf.at(2), shelf.at(3), shelf.at(4)), (Place::Here(_), Place::Here(_), Place::NotYet)));
    }

    #[test]
    fn a_closed_shelf_sends_everybody_away_also_who_waits_for_the_next() {
        let shelf = Shelf::default();
        shelf.put(step(1));
        assert!(!shelf.is_closed());
        shelf.close();
        assert!(shelf.is_closed());
        assert!(matches!((shelf.at(0), shelf.at(1), shelf.at(2)), (Place::Gone, Place::Gone, Place::Gone)));
        assert!(*shelf.next().borrow() > 1);
    }
}
