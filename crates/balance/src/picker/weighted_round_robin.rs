//! Smooth weighted round robin, as nginx does it: weights 5, 1, 1 give a a b a c a a, not a a a a a b c.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Ask, Picker, Slot};
use crate::dice::Dice;

/// What each endpoint has saved up. Each turn every one earns its weight; the richest is chosen and pays for all.
pub(super) struct Smooth(Mutex<Vec<f64>>);

impl Smooth {
    pub(super) fn over(slots: usize) -> Self {
        Self(Mutex::new(vec![0.0; slots]))
    }
}

impl Picker for Smooth {
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, _dice: &Dice) -> Option<usize> {
        let mut saved = self.0.lock();
        let (mut total, mut richest) = (0.0, None);
        for (at, (slot, savings)) in slots.iter().zip(saved.iter_mut()).enumerate() {
            if !ask.allows(slot) {
                continue;
            }
            let weight = slot.weight(ask.now);
            total += weight;
            *savings += weight;
            if richest.is_none_or(|(_, most)| *savings > most) {
                richest = Some((at, *savings));
            }
        }
        let (at, _) = richest?;
        saved[at] -= total;
        Some(at)
    }
}
