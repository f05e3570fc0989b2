//! What the hot path reads: which endpoints may take a call now. Made anew at each transition, read without a lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::dice::Dice;
use crate::picker::{Ask, Picker, Slot};
use crate::policy::Policy;

/// For this long a due probe waits for a call that survives its failure; then any call carries it.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// The choice at one moment.
pub(crate) struct Table {
    pub(crate) policy: Policy,
    pub(crate) picker: Box<dyn Picker>,
    pub(crate) slots: Vec<Arc<Slot>>,
    /// Endpoints that wait for their one call, and since when.
    pub(crate) probes: Vec<(Arc<Slot>, Instant)>,
    pub(crate) panic: bool,
    /// Whether a call that finds nobody may hope for an endpoint within milliseconds.
    pub(crate) reconnecting: bool,
}

/// Where a call goes.
pub(crate) struct Chosen {
    pub(crate) slot: Arc<Slot>,
    pub(crate) policy: Policy,
    pub(crate) is_probe: bool,
}

impl Table {
    /// Chooses; if all were tried before, one of them again.
    pub(crate) fn choose(&self, ask: &Ask<'_>, dice: &Dice) -> Option<Chosen> {
        if let Some(probe) = self.take_probe(ask) {
            return Some(probe);
        }
        let again = || self.picker.pick(&self.slots, &Ask { avoid: &[], ..*ask }, dice);
        let at = self.picker.pick(&self.slots, ask, dice).or_else(again)?;
        Some(Chosen { slot: Arc::clone(&self.slots[at]), policy: self.policy, is_probe: false })
    }

    fn take_probe(&self, ask: &Ask<'_>) -> Option<Chosen> {
        let willing = |(slot, since): &&(Arc<Slot>, Instant)| {
            (ask.retryable || *since + PROBE_PATIENCE <= ask.now)
                && !ask.avoid.contains(&slot.replica.ordinal)
                && !slot.replica.probe_out.swap(true, Ordering::AcqRel)
        };
        let (slot, _) = self.probes.iter().find(willing)?;
        Some(Chosen { slot: Arc::clone(slot), policy: self.policy, is_probe: true })
    }
}
