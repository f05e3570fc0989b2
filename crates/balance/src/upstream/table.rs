//! What the hot path reads: which endpoints may take a call now. Made anew at each transition, read without a lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::Switch;
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
    /// Whether one more endpoint may be ejected, as long as the switch is on.
    pub(crate) may_eject: bool,
    pub(crate) ejection: Switch,
    /// Whether some endpoint is being connected to for the first time since it was lost.
    pub(crate) reconnecting: bool,
}

/// Where a call goes.
pub(crate) struct Chosen {
    pub(crate) slot: Arc<Slot>,
    pub(crate) policy: Policy,
    pub(crate) errand: Errand,
}

/// What a call does for the upstream beside its own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    Nothing,
    /// Tries an endpoint that failed a call.
    Trial,
    /// Decides whether an endpoint returns.
    Probe,
}

impl Table {
    /// Chooses; if all were tried before, one of them again.
    pub(crate) fn choose(&self, ask: &Ask<'_>, dice: &Dice) -> Option<Chosen> {
        if let Some(probe) = self.take_probe(ask) {
            return Some(probe);
        }
        if let Some(suspect) = self.find_suspect(ask) {
            return Some(self.send_to(suspect, Errand::Trial));
        }
        let mut slot = self.pick(ask, ask.avoid, dice)?;
        if slot.link.is_closed() {
            slot = self.pick_open(ask, dice)?;
        }
        Some(self.send_to(slot, Errand::Nothing))
    }

    fn send_to(&self, slot: &Arc<Slot>, errand: Errand) -> Chosen {
        Chosen { slot: Arc::clone(slot), policy: self.policy, errand }
    }

    fn pick(&self, ask: &Ask<'_>, avoid: &[u32], dice: &Dice) -> Option<&Arc<Slot>> {
        let again = || self.picker.pick(&self.slots, &Ask { avoid: &[], ..*ask }, dice);
        let at = self.picker.pick(&self.slots, &Ask { avoid, ..*ask }, dice).or_else(again)?;
        self.slots.get(at)
    }

    /// In the moments between a connection's end and the next table.
    fn pick_open(&self, ask: &Ask<'_>, dice: &Dice) -> Option<&Arc<Slot>> {
        let closed = self.slots.iter().filter(|slot| slot.link.is_closed()).map(|slot| slot.replica.ordinal);
        let mut avoid: Vec<u32> = closed.collect();
        let is_open = |slot: &&Arc<Slot>| !slot.link.is_closed();
        let count = avoid.len();
        avoid.extend(ask.avoid);
        let untried = self.pick(ask, &avoid, dice).filter(is_open);
        untried.or_else(|| self.pick(ask, &avoid[..count], dice).filter(is_open))
    }

    /// Whether a call that finds nobody may hope for an endpoint within milliseconds.
    pub(crate) fn has_hope(&self) -> bool {
        self.reconnecting || self.slots.iter().any(|slot| slot.link.is_closed())
    }

    /// An endpoint that failed a call, to be tried on purpose: peak EWMA shuns it for its failure, and what is never called
    /// is neither found guilty nor cleared. One call at a time, and only such as survive a failure. Never where no trial can
    /// end in an ejection: it fails fast, so that it would be idle, and be given nearly every call.
    fn find_suspect(&self, ask: &Ask<'_>) -> Option<&Arc<Slot>> {
        if self.policy != Policy::PeakEwma || !ask.may_fail || !self.may_eject || self.panic || !self.ejection.is_on() {
            return None;
        }
        let is_due = |slot: &&Arc<Slot>| {
            slot.replica.recent.is_suspect()
                && slot.replica.load.in_flight() == 0
                && !ask.avoid.contains(&slot.replica.ordinal)
                && !slot.link.is_closed()
        };
        self.slots.iter().find(is_due)
    }

    fn take_probe(&self, ask: &Ask<'_>) -> Option<Chosen> {
        let willing = |(slot, since): &&(Arc<Slot>, Instant)| {
            (ask.may_fail || *since + PROBE_PATIENCE <= ask.now)
                && !ask.avoid.contains(&slot.replica.ordinal)
                && !slot.replica.probe_out.swap(true, Ordering::AcqRel)
        };
        let (slot, _) = self.probes.iter().find(willing)?;
        Some(self.send_to(slot, Errand::Probe))
    }
}
