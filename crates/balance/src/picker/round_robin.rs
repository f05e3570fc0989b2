//! One after the other: even counts, blind to how long each call takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Ask, Picker, Slot, draw};
use crate::dice::Dice;

pub(super) struct RoundRobin(AtomicUsize);

impl RoundRobin {
    /// At random, so that many clients do not march in step.
    pub(super) fn starting_at(first: usize) -> Self {
        Self(AtomicUsize::new(first))
    }
}

impl Picker for RoundRobin {
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<usize> {
        draw(slots, ask, dice, || self.0.fetch_add(1, Ordering::Relaxed) % slots.len().max(1))
    }
}
