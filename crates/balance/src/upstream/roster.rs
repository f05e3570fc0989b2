//! All endpoints of an upstream with their states: what transitions change, under one lock, and the hot path never reads.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::table::Table;
use crate::dice::Dice;
use crate::ejection::{self, Sentence};
use crate::picker::{self, Slot, Warming};
use crate::policy::Policy;
use crate::replica::Replica;
use crate::settings::EjectionSettings;
use crate::snapshot::Phase;
use crate::state::State;

pub(crate) struct Roster {
    pub(crate) members: Vec<Member>,
    pub(crate) policy: Policy,
    pub(crate) panic: bool,
}

pub(crate) struct Member {
    pub(crate) replica: Arc<Replica>,
    pub(crate) state: State,
    pub(crate) sentence: Sentence,
    /// Ends its task when it is no longer discovered.
    pub(crate) removed: CancellationToken,
}

impl Member {
    pub(crate) fn is(&self, phase: Phase) -> bool {
        self.state.phase() == phase
    }

    fn slot(&self, warming: Option<Warming>) -> Option<Arc<Slot>> {
        let link = Arc::clone(self.state.link()?);
        Some(Arc::new(Slot { replica: Arc::clone(&self.replica), link, warming }))
    }
}

impl Roster {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { members: Vec::new(), policy, panic: false }
    }

    /// By identity: a call may outlive its endpoint, whose ordinal another one then has.
    pub(crate) fn find(&mut self, replica: &Replica) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| std::ptr::eq(Arc::as_ptr(&member.replica), replica))
    }

    pub(crate) fn count(&self, phase: Phase) -> usize {
        self.members.iter().filter(|member| member.is(phase)).count()
    }

    /// Those that are discovered.
    pub(crate) fn known(&self) -> usize {
        self.members.len() - self.count(Phase::Draining)
    }

    pub(crate) fn free_ordinal(&self) -> u32 {
        (0..).find(|ordinal| self.members.iter().all(|member| member.replica.ordinal != *ordinal)).unwrap_or(u32::MAX)
    }

    /// Whether nobody is on the way to a first connection any more.
    pub(crate) fn has_tried_all(&self) -> bool {
        let is_trying = |member: &Member| matches!(&member.state, State::Connecting(it) if it.failed == 0);
        !self.members.is_empty() && !self.members.iter().any(is_trying)
    }

    /// The usual latency among those that take calls: where a newcomer begins.
    pub(crate) fn usual_latency(&self, now: Instant) -> Option<f64> {
        let ready = || self.members.iter().filter(|member| member.is(Phase::Ready));
        let sum: f64 = ready().map(|member| member.replica.load.latency(now)).sum();
        (ready().count() > 0).then(|| sum / ready().count() as f64)
    }

    /// The choice that this roster allows; also decides on panic.
    pub(crate) fn table(&mut self, panic_threshold: f64, ejection: &EjectionSettings, dice: &Dice) -> Table {
        let ready = self.ready();
        let too_few = ready.is_empty() || (ready.len() as f64) < panic_threshold * self.known() as f64;
        let connected = if too_few { self.connected() } else { Vec::new() };
        self.panic = connected.len() > ready.len();
        let mut slots = if self.panic { connected } else { ready };
        if slots.is_empty() {
            // When a whole set of endpoints is replaced, the old ones serve until the first new one is up.
            slots = self.members.iter().filter_map(|member| member.slot(None)).collect();
        }
        Table {
            policy: self.policy,
            picker: picker::build(self.policy, &slots, dice),
            slots,
            probes: self.probes(),
            panic: self.panic,
            may_eject: self.may_eject(ejection),
            ejection: ejection.enabled.clone(),
            reconnecting: self
                .members
                .iter()
                .any(|member| matches!(&member.state, State::Connecting(it) if it.failed == 0)),
        }
    }

    /// Whether one that is ready may be ejected.
    pub(crate) fn may_eject(&self, settings: &EjectionSettings) -> bool {
        let out = self.count(Phase::Ejected) + self.count(Phase::Probing);
        ejection::may_eject(settings, self.known(), out, self.count(Phase::Ready))
    }

    fn ready(&self) -> Vec<Arc<Slot>> {
        let slot = |member: &Member| match &member.state {
            State::Ready(ready) => member.slot(ready.warming),
            _ => None,
        };
        self.members.iter().filter_map(slot).collect()
    }

    /// Every discovered endpoint with a connection, whatever is said of it.
    fn connected(&self) -> Vec<Arc<Slot>> {
        self.members
            .iter()
            .filter(|member| !member.is(Phase::Draining))
            .filter_map(|member| member.slot(None))
            .collect()
    }

    fn probes(&self) -> Vec<(Arc<Slot>, Instant)> {
        let probe = |member: &Member| match &member.state {
            State::Probing(probing) => member.slot(None).map(|slot| (slot, probing.since)),
            _ => None,
        };
        self.members.iter().filter_map(probe).collect()
    }
}
