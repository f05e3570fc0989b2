//! The same endpoint for the same key, so that its cache knows the key; when endpoints come and go, few keys move.
//!
//! The table is Maglev's (Eisenbud et al., NSDI 2016). Load is bounded as in Mirrokni, Thorup and Zadimoghaddam (2016): an
//! endpoint with a quarter more than its share in flight passes keys on to the next one in the table.

use std::sync::Arc;

use super::{Ask, Picker, Slot};
use crate::dice::{Dice, mix};

/// A prime; a hundred times the endpoints or more keeps their shares within a per cent of each other.
const SIZE: usize = 16_381;
const OVERLOAD: f64 = 1.25;
/// Below this many in flight nobody is overloaded, and moving a key would only cost its cache.
const LIGHT: f64 = 8.0;

pub(super) struct Maglev {
    /// For each place the index of a slot. Empty if there are none.
    table: Vec<u16>,
}

impl Maglev {
    pub(super) fn over(slots: &[Arc<Slot>]) -> Self {
        let mut table = vec![u16::MAX; if slots.is_empty() { 0 } else { SIZE }];
        let mut wishes: Vec<Wishes> = slots.iter().map(|slot| Wishes::of(slot.replica.hash)).collect();
        let mut left = table.len();
        while left > 0 {
            for (at, slot) in slots.iter().enumerate().take(usize::from(u16::MAX)) {
                for _ in 0..weight(slot) {
                    if left == 0 {
                        break;
                    }
                    wishes[at].take_free(&mut table, u16::try_from(at).unwrap_or(0));
                    left -= 1;
                }
            }
        }
        Self { table }
    }
}

/// The order in which an endpoint wants the places: a permutation made of an offset and a step.
struct Wishes {
    next: usize,
    step: usize,
}

impl Wishes {
    fn of(hash: u64) -> Self {
        let size = SIZE as u64;
        let place = |key: u64, of: u64| usize::try_from(mix(key) % of).unwrap_or(0);
        Self { next: place(hash, size), step: place(hash.rotate_left(32), size - 1) + 1 }
    }

    fn take_free(&mut self, table: &mut [u16], owner: u16) {
        while table[self.next] != u16::MAX {
            self.next = (self.next + self.step) % SIZE;
        }
        table[self.next] = owner;
    }
}

impl Picker for Maglev {
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<usize> {
        if self.table.is_empty() || !slots.iter().any(|slot| ask.allows(slot)) {
            return None;
        }
        let start = match ask.key {
            Some(key) => usize::try_from(mix(key) % self.table.len() as u64).unwrap_or(0),
            None => dice.below(self.table.len()),
        };
        let fair = fair(slots);
        let owners = || (0..self.table.len()).map(|step| usize::from(self.table[(start + step) % self.table.len()]));
        let open = |at: &usize| ask.allows(&slots[*at]) && has_room(&slots[*at], fair);
        owners().find(open).or_else(|| owners().find(|at| ask.allows(&slots[*at])))
    }
}

/// Places in a round; more than this would leave the others none.
fn weight(slot: &Slot) -> u32 {
    slot.replica.weight.min(100)
}

/// The calls that would be in flight for each unit of weight, were they spread evenly.
fn fair(slots: &[Arc<Slot>]) -> f64 {
    let total: u64 = slots.iter().map(|slot| u64::from(slot.replica.load.in_flight())).sum();
    let weights: u64 = slots.iter().map(|slot| u64::from(weight(slot))).sum();
    (total + 1) as f64 / weights.max(1) as f64
}

/// Whether it has so few calls in flight that it need not pass keys on.
fn has_room(slot: &Slot, fair: f64) -> bool {
    let most = (fair * f64::from(weight(slot)) * OVERLOAD).ceil();
    f64::from(slot.replica.load.in_flight()) < most.max(LIGHT)
}
