//! A tour without a page: a program breaks, looks and heals, as the file says.

use std::time::Duration;

use crm_balance::{Phase, Policy};
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Action, Find, Metric, Tour, Verdict, act::ask, check};
use crate::{
    config::{Config, Link},
    control::{Controls, Upstream},
    outbound::Outbound,
    room::{Room, Scene},
    watch,
};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it may take until calls flow to replicas that are all well, before the break; and how long healing may.
const PATIENCE: Duration = Duration::from_secs(40);
/// Everything is watched for this long at least, for failures may come after the rest has been seen.
const LEAST: Duration = Duration::from_secs(6);
/// What could not be healed is tried again after this.
const HEALING_PAUSE: Duration = Duration::from_secs(1);

/// Why a tour was not played to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// There is nothing to break that works.
    #[error("{0}")]
    NotCalm(String),
    /// Something could not be done that the tour asks for.
    #[error("{0}")]
    Undone(String),
    /// Told to stop.
    #[error("stopped before the end")]
    Stopped,
    /// What was broken may still be.
    #[error("{error}; and healing failed: {unhealed}")]
    Unhealed {
        /// Why the tour ended.
        error: Box<PlayError>,
        /// Why it could not be healed.
        unhealed: String,
    },
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// What was expected, and what there was in the end; the last one is that all is well again.
    pub checks: Vec<Verdict>,
    /// Where the trace can be read that the tour leads to, if the trace viewer knows such a call.
    pub trace: Option<String>,
}

impl Played {
    /// Whether everything expected was seen.
    #[must_use]
    pub fn held(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }
}

/// Watches a platform and plays tours with it, one at a time. It looks away when it is dropped.
#[derive(Debug)]
pub struct Player {
    controls: Controls,
    room: Room,
    traces: Option<Link>,
    patience: Duration,
    _watching: DropGuard,
}

impl Player {
    /// Begins to watch.
    pub fn new(config: &Config) -> Self {
        let outbound = Outbound::new();
        let controls = Controls::new(outbound.clone(), config.controls.clone());
        let room = Room::of(config);
        let watching = CancellationToken::new();
        watch::start(config, &controls, &outbound, &room, &watching);
        let (traces, _watching) = (config.trace_base().cloned(), watching.drop_guard());
        Self { controls, room, traces, patience: PATIENCE, _watching }
    }

    /// Waits for this long, instead of 40 s, until all is well before a tour, and again after it.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Waits until all is well, breaks, waits until everything expected is seen, and heals, whatever happened meanwhile.
    /// In the end the policy is the one that it was before.
    ///
    /// The lines that a person would type are given to `terminal`, which must not take for ever, and says what was wrong
    /// if one fails.
    ///
    /// # Errors
    /// When nothing works that could be broken, when a gateway or `terminal` refuses, and with `stop`, after healing.
    pub async fn play(
        &self,
        tour: &Tour,
        terminal: impl AsyncFn(&str) -> Result<(), String>,
        stop: &CancellationToken,
    ) -> Result<Played, PlayError> {
        let calm = stop.run_until_cancelled(self.until(|scene| calm(scene, tour))).await;
        let policy = calm.ok_or(PlayError::Stopped)?.map_err(PlayError::NotCalm)?;
        self.room.tour_counts_from_now(tour);
        let played = self.break_and_watch(tour, &terminal, stop).await;
        match (played, self.heal(tour, policy, &terminal).await) {
            (Ok(mut played), Ok(())) => {
                let healed = stop.run_until_cancelled(self.healed(tour, policy)).await;
                played.checks.push(healed.ok_or(PlayError::Stopped)?);
                Ok(played)
            }
            (played, Err(unhealed)) => {
                let error = played.err().unwrap_or_else(|| PlayError::Undone("everything was seen".to_owned()));
                Err(PlayError::Unhealed { error: Box::new(error), unhealed })
            }
            (Err(error), Ok(())) => Err(error),
        }
    }

    /// What is begun is ended before anything is healed: a request that was let go of could arrive after the healing.
    async fn break_and_watch(
        &self,
        tour: &Tour,
        terminal: &impl AsyncFn(&str) -> Result<(), String>,
        stop: &CancellationToken,
    ) -> Result<Played, PlayError> {
        let began = Instant::now();
        for action in &tour.breaking.actions {
            if stop.is_cancelled() {
                return Err(PlayError::Stopped);
            }
            self.act(tour, action, terminal).await.map_err(PlayError::Undone)?;
        }
        let most = Duration::from_secs(tour.watch.for_s.into()).max(LEAST);
        loop {
            stop.run_until_cancelled(sleep(PAUSE)).await.ok_or(PlayError::Stopped)?;
            let checks = check(tour, &self.room.look());
            let watched = began.elapsed();
            let is_seen = watched >= LEAST && checks.iter().all(|check| check.held) && self.may_read(tour);
            if is_seen || watched >= most {
                return Ok(Played { checks, trace: self.trace(tour) });
            }
        }
    }

    async fn act(
        &self,
        tour: &Tour,
        action: &Action,
        terminal: &impl AsyncFn(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        match action {
            Action::Command(line) => terminal(line).await,
            action => {
                ask(action, tour, &self.controls, &self.room).await.map_err(|error| format!("the gateway {error}"))
            }
        }
    }

    /// Does all of it, though a part may fail, and tries again what failed. Whatever policy the tour ends with, the one
    /// that it found is put back.
    async fn heal(
        &self,
        tour: &Tour,
        policy: Policy,
        terminal: &impl AsyncFn(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let end = Instant::now() + self.patience;
        let before = Action::Policy(policy);
        let others = tour.heal.actions.iter().filter(|action| !matches!(action, Action::Policy(_)));
        let mut undone: Vec<&Action> = others.chain([&before]).collect();
        loop {
            let mut failed = Vec::new();
            let mut result = Ok(());
            for action in undone {
                if let Err(error) = self.act(tour, action, terminal).await {
                    failed.push(action);
                    result = result.and(Err(error));
                }
            }
            if failed.is_empty() || Instant::now() >= end {
                return result;
            }
            undone = failed;
            sleep(HEALING_PAUSE).await;
        }
    }

    async fn healed(&self, tour: &Tour, policy: Policy) -> Verdict {
        let as_before = |scene: &Scene| match well(scene, tour)? {
            upstream if upstream.policy == policy => Ok(()),
            upstream => Err(format!("{} chooses instead of {policy}", upstream.policy)),
        };
        let not_yet = self.until(as_before).await.err();
        Verdict {
            say: "All is as it was before".to_owned(),
            held: not_yet.is_none(),
            actual: not_yet.unwrap_or_else(|| format!("all are ready, {policy} chooses")),
        }
    }

    /// Waits until there is an answer instead of a reason why not; the last reason, if it takes too long.
    async fn until<T>(&self, look: impl Fn(&Scene) -> Result<T, String>) -> Result<T, String> {
        let end = Instant::now() + self.patience;
        loop {
            let seen = look(&self.room.look());
            match seen {
                Err(_) if Instant::now() < end => sleep(PAUSE).await,
                seen => return seen,
            }
        }
    }

    /// A slow call there will be, and its trace comes a little after it; a failed one may never come.
    fn may_read(&self, tour: &Tour) -> bool {
        self.traces.is_none() || tour.read.find == Find::Failed || self.trace(tour).is_some()
    }

    fn trace(&self, tour: &Tour) -> Option<String> {
        let scene = self.room.look();
        let call = scene.tours.get(&tour.name)?.call.as_ref()?;
        Some(self.traces.as_ref()?.to(&format!("/trace/{}", call.trace)))
    }
}

/// The policy that chooses now, or why the tour should not begin yet.
fn calm(scene: &Scene, tour: &Tour) -> Result<Policy, String> {
    let name = &tour.upstream;
    let upstream = well(scene, tour)?;
    if !upstream.replicas.iter().any(|one| one.seen.ordinal == tour.replica) {
        return Err(format!("there is no {name}/{}", tour.replica));
    }
    let share = scene.histories.get(name).map_or(f64::NAN, |history| history.share(scene.now, tour.replica));
    if share.is_nan() {
        return Err(format!("no calls flow to {name}: is there data, and a load?"));
    }
    // What a break is to bring about must not be so before it.
    let of_shares =
        tour.watch.expect.iter().zip(check(tour, scene)).filter(|(expect, _)| expect.metric == Metric::Share);
    match of_shares.map(|(_, verdict)| verdict).find(|verdict| verdict.held) {
        None => Ok(upstream.policy),
        Some(verdict) => Err(format!("before anything is broken: {} ({})", verdict.say, verdict.actual)),
    }
}

/// The upstream, or what is wrong with it.
fn well<'a>(scene: &'a Scene, tour: &Tour) -> Result<&'a Upstream, String> {
    let name = &tour.upstream;
    if !scene.is_live() {
        return Err("no gateway answers".to_owned());
    }
    let upstream = scene.upstream(name).ok_or_else(|| format!("there is no upstream {name}"))?;
    for replica in &upstream.replicas {
        let ordinal = replica.seen.ordinal;
        if let Some(fault) = &replica.fault {
            return Err(format!("{name}/{ordinal} {}", fault.words()));
        }
        if replica.seen.state != Phase::Ready {
            return Err(format!("{name}/{ordinal} is {}", replica.seen.state.name()));
        }
    }
    Ok(upstream)
}
