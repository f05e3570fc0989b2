//! Any endpoint. The yardstick: no state, no coordination, and the binomial unevenness that the others improve on.

use std::sync::Arc;

use super::{Ask, Picker, Slot, draw};
use crate::dice::Dice;

pub(super) struct Random;

impl Picker for Random {
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<usize> {
        draw(slots, ask, dice, || dice.below(slots.len()))
    }
}
