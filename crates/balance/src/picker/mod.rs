//! The small interface behind all policies: from the endpoints that may take a call, choose one.

mod consistent_hash;
mod random;
mod round_robin;
mod two_choices;
mod weighted_round_robin;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::Connection;
use crate::dice::Dice;
use crate::policy::Policy;
use crate::replica::Replica;

/// An endpoint that may take calls, with the connection that carries them.
pub(crate) struct Slot {
    pub(crate) replica: Arc<Replica>,
    pub(crate) link: Arc<dyn Connection>,
    pub(crate) warming: Option<Warming>,
}

/// Slow start: the share grows from a tenth to the whole over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Warming {
    pub(crate) from: Instant,
    pub(crate) window: Duration,
}

impl Slot {
    /// The part of its fair share that it gets now.
    fn ramp(&self, now: Instant) -> f64 {
        self.warming.map_or(1.0, |warming| {
            let passed = now.saturating_duration_since(warming.from).as_secs_f64();
            (passed / warming.window.as_secs_f64().max(1e-9)).clamp(0.1, 1.0)
        })
    }

    /// Its weight now.
    fn weight(&self, now: Instant) -> f64 {
        f64::from(self.replica.weight) * self.ramp(now)
    }
}

/// What is asked for.
pub(crate) struct Ask<'a> {
    pub(crate) now: Instant,
    /// Key of `consistent_hash`.
    pub(crate) key: Option<u64>,
    /// Ordinals that were tried before.
    pub(crate) avoid: &'a [u32],
    /// Whether the call survives a failed attempt: those carry probes and trials.
    pub(crate) may_fail: bool,
}

impl Ask<'_> {
    fn allows(&self, slot: &Slot) -> bool {
        !self.avoid.contains(&slot.replica.ordinal)
    }
}

/// Chooses.
pub(crate) trait Picker: Send + Sync {
    /// The index of the slot to use, or none if all are to be avoided. The slots are those that it was built with.
    fn pick(&self, slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice) -> Option<usize>;
}

/// The picker of a policy over these slots.
pub(crate) fn build(policy: Policy, slots: &[Arc<Slot>], dice: &Dice) -> Box<dyn Picker> {
    match policy {
        Policy::Random => Box::new(random::Random),
        Policy::RoundRobin => Box::new(round_robin::RoundRobin::starting_at(dice.below(slots.len()))),
        Policy::WeightedRoundRobin => Box::new(weighted_round_robin::Smooth::over(slots.len())),
        Policy::LeastRequest => Box::new(two_choices::LEAST_REQUEST),
        Policy::PeakEwma => Box::new(two_choices::PEAK_EWMA),
        Policy::ConsistentHash => Box::new(consistent_hash::Maglev::over(slots)),
    }
}

/// Draws until a slot is allowed and its slow start lets it; after many draws in vain, the first that is allowed.
fn draw(slots: &[Arc<Slot>], ask: &Ask<'_>, dice: &Dice, mut next: impl FnMut() -> usize) -> Option<usize> {
    for _ in 0..slots.len() * 4 {
        let at = next();
        let slot = slots.get(at)?;
        if ask.allows(slot) && (slot.warming.is_none() || dice.unit() < slot.ramp(ask.now)) {
            return Some(at);
        }
    }
    slots.iter().position(|slot| ask.allows(slot))
}

#[cfg(test)]
mod tests;
