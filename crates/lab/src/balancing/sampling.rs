//! What is seen from outside while a cell is played: calls that arrived at each toy, and what our gateway says of them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crm_sandbox::toy::ToyRemote;
use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::proxy::control;
use super::toys::{FAULTY, REPLICAS};

/// How often the toys are asked.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// A toy that does not answer for this long is paused or gone.
const PATIENCE: Duration = Duration::from_millis(150);
/// How often the gateway is asked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Calls that have arrived at each toy since the load began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// Since the load began.
    pub(super) at: Duration,
    /// Attempts, retries included.
    pub(super) arrived: [u64; REPLICAS],
}

/// What the gateway says of the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Since the load began.
    pub(super) at: Duration,
    /// How often each was ejected.
    pub(super) ejections: [u64; REPLICAS],
}

/// Watches until it is dropped.
pub(super) struct Watch {
    started: Instant,
    toys: Vec<ToyRemote>,
    counting: Arc<Counting>,
    looks: Arc<Mutex<Vec<Look>>>,
    _tasks: JoinSet<()>,
}

impl Watch {
    pub(super) fn start(started: Instant, toys: Vec<ToyRemote>, control: Option<SocketAddr>) -> Self {
        let (counting, looks) = (Arc::new(Counting::default()), Arc::new(Mutex::new(Vec::new())));
        let mut tasks = JoinSet::new();
        tasks.spawn(count_often(started, toys.clone(), Arc::clone(&counting)));
        if let Some(control) = control {
            tasks.spawn(look_often(started, control, Arc::clone(&looks)));
        }
        Self { started, toys, counting, looks, _tasks: tasks }
    }

    /// Counts now, so that what follows has an exact beginning.
    pub(super) async fn count(&self) {
        self.counting.count(self.started, &self.toys).await;
    }

    /// Of the calls that the faulty toy had got when it broke, those that came after `moment`.
    pub(super) fn arrived_later(&self, moment: Duration, arrived: u64) -> u64 {
        let counter = lock(&self.counting.counter);
        let known = until(&counter.samples, moment).map_or(arrived, |sample| sample.arrived[FAULTY]);
        arrived.saturating_sub(known)
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        lock(&self.counting.counter).samples.clone()
    }

    pub(super) fn looks(&self) -> Vec<Look> {
        lock(&self.looks).clone()
    }
}

async fn count_often(started: Instant, toys: Vec<ToyRemote>, counting: Arc<Counting>) {
    let mut ticks = interval(COUNT_EVERY);
    loop {
        ticks.tick().await;
        counting.count(started, &toys).await;
    }
}

async fn look_often(started: Instant, control: SocketAddr, looks: Arc<Mutex<Vec<Look>>>) {
    let mut ticks = interval(LOOK_EVERY);
    loop {
        ticks.tick().await;
        if let Ok(ejections) = control::ejections(control).await {
            lock(&looks).push(Look { at: started.elapsed(), ejections });
        }
    }
}

#[derive(Default)]
struct Counting {
    /// One at a time: a count that is overtaken by a later one would look like that of a toy that was started anew.
    turn: tokio::sync::Mutex<()>,
    counter: Mutex<Counter>,
}

impl Counting {
    async fn count(&self, started: Instant, toys: &[ToyRemote]) {
        let _turn = self.turn.lock().await;
        let counts = join_all(toys.iter().map(|toy| async { timeout(PATIENCE, toy.counts()).await.ok()?.ok() })).await;
        let totals: Vec<Option<u64>> = counts.iter().map(|counts| Some(counts.as_ref()?.values().sum())).collect();
        lock(&self.counter).add(started.elapsed(), &totals);
    }
}

/// Makes one growing count out of those of a process that may be killed in between and begin at zero.
#[derive(Debug, Default)]
struct Counter {
    /// What earlier lives of each toy had counted.
    before: [u64; REPLICAS],
    last: [u64; REPLICAS],
    samples: Vec<Sample>,
}

impl Counter {
    fn add(&mut self, at: Duration, totals: &[Option<u64>]) {
        for (toy, total) in totals.iter().enumerate().take(REPLICAS) {
            let Some(total) = *total else { continue };
            if total < self.last[toy] {
                self.before[toy] += self.last[toy];
            }
            self.last[toy] = total;
        }
        let arrived = std::array::from_fn(|toy| self.before[toy] + self.last[toy]);
        self.samples.push(Sample { at, arrived });
    }
}

/// The faulty toy's part of the calls that arrived between two moments; `None` if there were none.
pub(super) fn share(samples: &[Sample], from: Duration, to: Duration) -> Option<f64> {
    let arrived = arrived(samples, from, to)?;
    let all: u64 = arrived.iter().sum();
    (all > 0).then(|| ratio(arrived[FAULTY], all))
}

/// The calls that arrived at each toy between two moments.
pub(super) fn arrived(samples: &[Sample], from: Duration, to: Duration) -> Option<[u64; REPLICAS]> {
    let (first, last) = (until(samples, from)?, until(samples, to)?);
    Some(std::array::from_fn(|toy| last.arrived[toy].saturating_sub(first.arrived[toy])))
}

/// How long after `healed` it began to get at least `fair` for a second on end; `None` if it did not.
pub(super) fn fair_again(samples: &[Sample], healed: Duration, fair: f64) -> Option<Duration> {
    const SECOND: Duration = Duration::from_secs(1);
    let later = samples.iter().filter(|sample| sample.at >= healed);
    let mut begins = later.filter(|sample| {
        let ended = samples.last().is_some_and(|last| last.at >= sample.at + SECOND);
        ended && share(samples, sample.at, sample.at + SECOND).is_some_and(|share| share >= fair)
    });
    begins.next().map(|sample| sample.at.saturating_sub(healed))
}

/// The last sample up to a moment, or the first of all.
fn until(samples: &[Sample], at: Duration) -> Option<&Sample> {
    let past = samples.partition_point(|sample| sample.at <= at);
    samples.get(past.saturating_sub(1))
}

#[allow(clippy::cast_precision_loss, reason = "call counts are below 2^52")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(at: f64) -> Duration {
        Duration::from_secs_f64(at)
    }

    /// A sample every half second; the faulty toy gets `faulty(second)` of 100 calls in each.
    fn samples(faulty: impl Fn(f64) -> u64) -> Vec<Sample> {
        let mut arrived = [0; REPLICAS];
        let mut samples = Vec::new();
        for half in 0..20 {
            let at = f64::from(half) / 2.0;
            samples.push(Sample { at: seconds(at), arrived });
            arrived[FAULTY] += faulty(at);
            arrived[0] += 100 - faulty(at);
        }
        samples
    }

    #[test]
    fn a_share_is_that_of_the_time_asked_for() {
        let samples = samples(|at| if at < 5.0 { 25 } else { 1 });
        assert_eq!(share(&samples, seconds(0.0), seconds(5.0)), Some(0.25));
        assert_eq!(share(&samples, seconds(5.0), seconds(9.0)), Some(0.01));
        assert_eq!(share(&samples, seconds(9.5), seconds(20.0)), None);
        assert_eq!(share(&[], seconds(0.0), seconds(1.0)), None);
    }

    #[test]
    fn fair_again_is_when_a_whole_second_was_fair() {
        let samples = samples(|at| if at < 6.0 { 1 } else { 25 });
        assert_eq!(fair_again(&samples, seconds(4.0), 0.2), Some(seconds(2.0)));
        assert_eq!(fair_again(&samples, seconds(7.0), 0.2), Some(seconds(0.0)));
        assert_eq!(fair_again(&samples, seconds(4.0), 0.3), None);
    }

    #[test]
    fn counts_go_on_after_a_restart_and_stand_while_nobody_answers() {
        let mut counter = Counter::default();
        for (at, total) in [(1.0, Some(10)), (2.0, None), (3.0, Some(4)), (4.0, Some(6))] {
            counter.add(seconds(at), &[Some(0), Some(0), total, Some(0)]);
        }
        let faulty: Vec<u64> = counter.samples.iter().map(|sample| sample.arrived[FAULTY]).collect();
        assert_eq!(faulty, [10, 10, 14, 16]);
    }
}
