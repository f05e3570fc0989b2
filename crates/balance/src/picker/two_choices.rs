//! The better of two at random: nearly as good as looking at all, without herding towards the one that looks best.
//!
//! `least_request` compares calls in flight; `peak_ewma` compares what one more call would cost (see [`Load`]), and so
//! avoids an endpoint that is slow even when nobody waits for it.
//!
//! [`Load`]: crate::replica::Load

use std::sync::Arc;

use tokio::time::Instant;

use super::{Ask, Picker, Slot};
use crate::dice::Dice;

pub(super) struct TwoChoices {
    cost: fn(&Slot, Instant) -> f64,
    /// The second of the two has to be cheaper by this factor.
    margin: f64,
}

pub(super) const LEAST_REQUEST: TwoChoices =
    TwoChoices { cost: |slot, _| f64::from(slot.replica.load.in_flight() + 1), margin: 1.0 };

/// Latencies within a fifth of each other are the same. Otherwise an endpoint that has healed, whose average nears the
/// others' from above and never falls below, would lose nearly every comparison.
pub(super) const PEAK_EWMA: TwoChoices = TwoChoices { cost: |slot, now| slot.replica.load.cost(now), margin: 0.8 };

impl TwoChoices {
    fn cost_of(&self, slot: &Slot, now: Instant) -> f64 {
        (self.cost)(slot, now) / slot.weight(now)
    }
}

impl Picker for TwoChoices {
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<usize> {
        let (left, right) = two(slots, ask, dice)?;
        if left == right {
            return Some(left);
        }
        let (first, second) = (self.cost_of(&slots[left], ask.now), self.cost_of(&slots[right], ask.now));
        Some(if second < first * self.margin { right } else { left })
    }
}

/// Two different slots that are allowed; the same twice if there is only one.
fn two(slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<(usize, usize)> {
    if ask.avoid.is_empty() {
        return pair(slots.len(), dice);
    }
    let allowed = || slots.iter().enumerate().filter(|(_, slot)| ask.allows(slot)).map(|(at, _)| at);
    let (left, right) = pair(allowed().count(), dice)?;
    Some((allowed().nth(left)?, allowed().nth(right)?))
}

fn pair(count: usize, dice: &Dice) -> Option<(usize, usize)> {
    match count {
        0 => None,
        1 => Some((0, 0)),
        _ => {
            let left = dice.below(count);
            let right = (left + 1 + dice.below(count - 1)) % count;
            Some((left, right))
        }
    }
}
