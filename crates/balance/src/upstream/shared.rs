//! What the handle, the clients and the tasks of one upstream share, and the transitions they cause.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Builder;
use super::counters::Counters;
use super::roster::{Member, Roster};
use super::table::Table;
use crate::client::Limit;
use crate::connection::{Connect, Connection, H2Connector};
use crate::dice::Dice;
use crate::discovery::Endpoint;
use crate::ejection::{self, Sentence, Verdict};
use crate::picker::Warming;
use crate::policy::Policy;
use crate::replica::{Latencies, Outcome, Replica};
use crate::settings::{ConnectionSettings, EjectionSettings, HealthCheck};
use crate::snapshot::{Event, Phase};
use crate::state::State;

pub(crate) struct Shared {
    pub(crate) name: Arc<str>,
    pub(crate) epoch: Instant,
    pub(crate) dice: Dice,
    pub(crate) health: HealthCheck,
    pub(crate) ejection: EjectionSettings,
    pub(crate) connection: ConnectionSettings,
    pub(crate) connector: Arc<dyn Connect>,
    pub(crate) start_wait: Duration,
    pub(crate) hash_header: Option<http::HeaderName>,
    pub(crate) counters: Counters,
    /// Of the clients, one each.
    pub(crate) limits: Mutex<Vec<Weak<Limit>>>,
    /// Of calls; those of attempts are each replica's.
    pub(crate) latencies: Latencies,
    slow_start: Duration,
    panic_threshold: f64,
    roster: Mutex<Roster>,
    pub(crate) table: ArcSwap<Table>,
    /// Counts tables, for those who wait for another one.
    pub(crate) version: watch::Sender<u64>,
    pub(crate) events: broadcast::Sender<Event>,
    /// Whether there was an endpoint, or the first attempts at all of them have failed.
    pub(crate) started: std::sync::atomic::AtomicBool,
}

/// Events that a slow watcher may fall behind.
const EVENTS: usize = 256;

impl Shared {
    pub(crate) fn new(builder: Builder) -> Self {
        let dice = Dice::new(builder.seed);
        let mut roster = Roster::new(builder.policy);
        let table = roster.table(builder.panic_threshold, &builder.ejection, &dice);
        let settings = builder.connection.clone();
        let epoch = Instant::now();
        Self {
            name: builder.name.into(),
            epoch,
            latencies: Latencies::new(epoch),
            table: ArcSwap::from_pointee(table),
            roster: Mutex::new(roster),
            connector: builder.connector.unwrap_or_else(|| Arc::new(H2Connector { settings })),
            version: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            started: false.into(),
            counters: Counters::default(),
            limits: Mutex::default(),
            dice,
            health: builder.health,
            ejection: builder.ejection,
            connection: builder.connection,
            start_wait: builder.start_wait,
            hash_header: builder.hash_header,
            slow_start: builder.slow_start,
            panic_threshold: builder.panic_threshold,
        }
    }

    pub(crate) fn with_roster<R>(&self, read: impl FnOnce(&Roster) -> R) -> R {
        read(&self.roster.lock())
    }

    /// Another policy chooses from now on.
    pub(crate) fn set_policy(&self, to: Policy) {
        let mut roster = self.roster.lock();
        let from = std::mem::replace(&mut roster.policy, to);
        if from != to {
            self.publish(&mut roster);
            self.tell(Event::PolicyChanged { upstream: self.name.to_string(), from, to });
        }
    }

    /// Takes in an answer of discovery: returns the endpoints that are new, whose tasks the caller starts.
    pub(crate) fn discovered(&self, endpoints: &[Endpoint]) -> Vec<(Arc<Replica>, CancellationToken)> {
        let mut roster = self.roster.lock();
        for member in &mut roster.members {
            let is_listed = endpoints.iter().any(|endpoint| endpoint.address == member.replica.address);
            if !is_listed && !member.is(Phase::Draining) {
                self.step(member, "no longer discovered", State::drained);
                member.removed.cancel();
            }
        }
        let appeared = endpoints.iter().filter_map(|endpoint| self.appear(&mut roster, endpoint)).collect();
        self.publish(&mut roster);
        appeared
    }

    fn appear(&self, roster: &mut Roster, endpoint: &Endpoint) -> Option<(Arc<Replica>, CancellationToken)> {
        let is_known = |member: &Member| member.replica.address == endpoint.address && !member.is(Phase::Draining);
        if roster.members.iter().any(is_known) {
            return None;
        }
        let replica = Arc::new(Replica::new(roster.free_ordinal(), &self.name, endpoint, self.epoch));
        let removed = CancellationToken::new();
        let (state, sentence) = (State::new(), Sentence::default());
        self.tell_change(&replica, None, Some(Phase::Connecting), "discovered");
        roster.members.push(Member { replica: Arc::clone(&replica), state, sentence, removed: removed.clone() });
        roster.members.sort_by_key(|member| member.replica.ordinal);
        Some((replica, removed))
    }

    /// Forgets an endpoint that has drained.
    pub(crate) fn gone(&self, replica: &Replica) {
        let mut roster = self.roster.lock();
        roster.members.retain(|member| !std::ptr::eq(Arc::as_ptr(&member.replica), replica));
        self.publish(&mut roster);
        self.tell_change(replica, Some(Phase::Draining), None, "drained");
    }

    /// A connection is up and healthy.
    pub(crate) fn admit(&self, replica: &Replica, link: &Arc<dyn Connection>, reason: &'static str) {
        let now = Instant::now();
        let mut roster = self.roster.lock();
        let usual = roster.usual_latency(now);
        let warming = self.warming(now);
        self.change(&mut roster, replica, reason, |sentence, state| {
            replica.recent.acquit(now);
            replica.load.reset(usual, now);
            replica.probe_out.store(false, Ordering::Release);
            match state {
                State::Draining(_) => state,
                _ => State::admit(Arc::clone(link), sentence.until(), warming, now),
            }
        });
        self.started.store(true, Ordering::Release);
    }

    /// While the upstream itself is new all its endpoints are, and nothing is gained by warming them one behind the other.
    fn warming(&self, now: Instant) -> Option<Warming> {
        let is_new = now < self.epoch + self.slow_start;
        (!is_new && !self.slow_start.is_zero()).then_some(Warming { from: now, window: self.slow_start })
    }

    /// Connecting failed.
    pub(crate) fn refused(&self, replica: &Replica, reason: String) {
        self.change(&mut self.roster.lock(), replica, "connect failed", |_, state| state.refused(reason));
    }

    /// The connection is gone.
    pub(crate) fn lost(&self, replica: &Replica) {
        self.change(&mut self.roster.lock(), replica, "connection lost", |_, state| state.lost());
    }

    /// It does not serve.
    pub(crate) fn sickened(&self, replica: &Replica, link: &Arc<dyn Connection>, reason: &'static str) {
        self.change(&mut self.roster.lock(), replica, reason, |_, state| state.sickened(Arc::clone(link), reason));
    }

    /// A younger connection.
    pub(crate) fn renewed(&self, replica: &Replica, link: &Arc<dyn Connection>) {
        self.change(&mut self.roster.lock(), replica, "connection renewed", |_, state| state.renewed(Arc::clone(link)));
    }

    /// Lets time pass for an endpoint; returns when to come again.
    pub(crate) fn aged(&self, replica: &Replica) -> Option<Instant> {
        let now = Instant::now();
        let mut roster = self.roster.lock();
        let member = roster.find(replica)?;
        if member.state.ages_at().is_some_and(|at| at <= now) {
            replica.probe_out.store(false, Ordering::Release);
            self.change(&mut roster, replica, "ejection is over", |_, state| state.aged(now));
        }
        roster.find(replica)?.state.ages_at()
    }

    /// An attempt ended: counts it, and ejects where that is due.
    pub(crate) fn attempted(&self, replica: &Replica, outcome: Outcome, is_probe: bool, now: Instant) {
        let consecutive = replica.recent.record(outcome, now);
        if is_probe {
            self.probed(replica, outcome, now);
        } else if let Some(verdict) = ejection::judge(&self.ejection, &replica.recent, outcome, consecutive, now) {
            self.eject(replica, verdict, now);
        }
    }

    /// A probe was answered, or failed.
    pub(crate) fn probed(&self, replica: &Replica, outcome: Outcome, now: Instant) {
        let mut roster = self.roster.lock();
        let warming = self.warming(now);
        let usual = roster.usual_latency(now);
        let Some(member) = roster.find(replica).filter(|member| member.is(Phase::Probing)) else { return };
        match outcome {
            Outcome::Cancelled | Outcome::PassedOn | Outcome::Lost => replica.probe_out.store(false, Ordering::Release),
            Outcome::Failed | Outcome::TimedOut if self.ejection.enabled.is_on() => {
                self.sentence(&mut roster, replica, Verdict::ProbeFailed, now);
            }
            outcome => {
                let reason = if outcome == Outcome::Served { "probe succeeded" } else { "ejection is switched off" };
                member.sentence.lift(now);
                replica.recent.acquit(now);
                replica.load.reset(usual, now);
                self.change(&mut roster, replica, reason, |_, state| state.proven(warming));
            }
        }
    }

    fn eject(&self, replica: &Replica, verdict: Verdict, now: Instant) {
        let mut roster = self.roster.lock();
        let is_ready = roster.find(replica).is_some_and(|member| member.is(Phase::Ready));
        if is_ready && roster.may_eject(&self.ejection) {
            self.sentence(&mut roster, replica, verdict, now);
        }
    }

    fn sentence(&self, roster: &mut Roster, replica: &Replica, verdict: Verdict, now: Instant) {
        let Some(member) = roster.find(replica) else { return };
        let until = member.sentence.pass(&self.ejection, verdict, &self.dice, now);
        replica.recent.acquit(now);
        self.change(roster, replica, verdict.reason(), |_, state| state.ejected(until, verdict.reason()));
    }

    /// Moves one endpoint, and lets everybody know.
    fn change(
        &self,
        roster: &mut Roster,
        replica: &Replica,
        reason: &str,
        transition: impl FnOnce(&Sentence, State) -> State,
    ) {
        let Some(member) = roster.find(replica) else { return };
        let sentence = std::mem::take(&mut member.sentence);
        self.step(member, reason, |state| transition(&sentence, state));
        member.sentence = sentence;
        self.publish(roster);
        replica.changed.notify_one();
    }

    fn step(&self, member: &mut Member, reason: &str, transition: impl FnOnce(State) -> State) {
        let from = member.state.phase();
        member.state = transition(std::mem::replace(&mut member.state, State::new()));
        let to = member.state.phase();
        if from != to {
            self.tell_change(&member.replica, Some(from), Some(to), reason);
        }
    }

    fn tell_change(&self, replica: &Replica, from: Option<Phase>, to: Option<Phase>, reason: &str) {
        let name = |phase: Option<Phase>| phase.map_or("-", Phase::name);
        tracing::info!(
            upstream = &*self.name,
            replica = replica.ordinal,
            address = replica.address,
            from = name(from),
            to = name(to),
            reason,
            "endpoint moved"
        );
        let (upstream, address) = (self.name.to_string(), replica.address.clone());
        let reason = reason.to_owned();
        self.tell(Event::StateChanged { upstream, replica: replica.ordinal, address, from, to, reason });
    }

    /// Gives the hot path its new table. A panic that begins or ends is told.
    fn publish(&self, roster: &mut Roster) {
        if roster.has_tried_all() {
            self.started.store(true, Ordering::Release);
        }
        let was_panic = roster.panic;
        let table = roster.table(self.panic_threshold, &self.ejection, &self.dice);
        self.table.store(Arc::new(table));
        self.version.send_modify(|version| *version += 1);
        if roster.panic != was_panic {
            self.tell_panic(roster);
        }
    }

    fn tell_panic(&self, roster: &Roster) {
        let upstream = self.name.to_string();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (healthy, known) = (count(roster.count(Phase::Ready)), count(roster.known()));
        if roster.panic {
            tracing::warn!(upstream, healthy, known, "panic: calls are spread over all connected endpoints");
            self.tell(Event::PanicEntered { upstream, healthy, known });
        } else {
            tracing::info!(upstream, "panic is over");
            self.tell(Event::PanicLeft { upstream });
        }
    }

    /// Nobody has to listen.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}
