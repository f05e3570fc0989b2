//! What an endpoint is doing now and how long it takes: the figures that policies compare.
//!
//! Latency is a peak EWMA, as in Twitter's Finagle: it jumps to a worse sample at once and forgets it slowly. Two things are
//! added. A failure counts as ten times the usual latency, for otherwise failing fast looks fast. And an endpoint that owes
//! several answers and has given none for a while is as slow as that while, for otherwise a stopped one goes on looking as
//! it last did.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Time constant of forgetting: after a fault fifty times the usual latency is forgotten in four of them.
const DECAY_SECONDS: f64 = 5.0;
/// What is assumed of an endpoint that nobody has called yet, nor its neighbours.
const UNKNOWN_SECONDS: f64 = 0.001;
/// A failure weighs as much as an answer this many times slower than usual…
const FAILURE_FACTOR: f64 = 10.0;
/// …up to this.
const FAILURE_CAP_SECONDS: f64 = 1.0;
/// Owing this many answers without giving one is being stuck; a single slow query is not.
const STUCK_FROM: u32 = 2;

/// Lock-free: each figure is one atomic, and a lost update between two calls that end together costs a sample, no more.
#[derive(Debug)]
pub(crate) struct Load {
    epoch: Instant,
    in_flight: AtomicU32,
    awaiting: AtomicU32,
    /// Bits of an `f64`, in seconds.
    ewma: AtomicU64,
    /// Nanoseconds since `epoch` of the last sample.
    sampled: AtomicU64,
    /// Nanoseconds since `epoch` of the last answer, or of the moment since which answers are owed.
    progress: AtomicU64,
}

impl Load {
    pub(crate) fn new(epoch: Instant) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            epoch,
            in_flight: AtomicU32::new(0),
            awaiting: AtomicU32::new(0),
            ewma: AtomicU64::new(UNKNOWN_SECONDS.to_bits()),
            sampled: zero(),
            progress: zero(),
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    /// A call begins.
    pub(crate) fn begin(&self, now: Instant) {
        self.in_flight.fetch_add(1, Relaxed);
        if self.awaiting.fetch_add(1, Relaxed) < STUCK_FROM {
            self.progress.store(self.nanos(now), Relaxed);
        }
    }

    /// A call begins whose answer comes when something happens: it owes none.
    pub(crate) fn begin_waiting(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// Its headers came, or it ended without.
    pub(crate) fn answered(&self, now: Instant) {
        self.awaiting.fetch_sub(1, Relaxed);
        self.progress.store(self.nanos(now), Relaxed);
    }

    /// It was given up while waiting: one answer less is owed, but none was given.
    pub(crate) fn given_up(&self) {
        self.awaiting.fetch_sub(1, Relaxed);
    }

    /// It is over, body and all.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Takes in how long an answer took.
    pub(crate) fn sample(&self, elapsed: Duration, now: Instant) {
        let (sample, average) = (elapsed.as_secs_f64(), self.latency(now));
        let since = now.saturating_duration_since(self.epoch).as_secs_f64() - self.sampled.load(Relaxed) as f64 / 1e9;
        let kept = (-since.max(0.0) / DECAY_SECONDS).exp();
        // `latency` has forgotten already, so the new average is the old one plus the new sample's part of what was forgotten.
        self.store(if sample > average { sample } else { average + sample * (1.0 - kept) }, now);
    }

    /// Takes in a failure.
    pub(crate) fn penalize(&self, elapsed: Duration, now: Instant) {
        let penalty = (self.latency(now) * FAILURE_FACTOR).clamp(UNKNOWN_SECONDS, FAILURE_CAP_SECONDS);
        self.store(penalty.max(elapsed.as_secs_f64()).max(self.latency(now)), now);
    }

    /// Starts anew from what its neighbours show.
    pub(crate) fn reset(&self, seconds: Option<f64>, now: Instant) {
        self.store(seconds.unwrap_or(UNKNOWN_SECONDS), now);
    }

    fn store(&self, seconds: f64, now: Instant) {
        self.ewma.store(seconds.to_bits(), Relaxed);
        self.sampled.store(self.nanos(now), Relaxed);
    }

    /// Seconds, less what has been forgotten since the last sample.
    pub(crate) fn latency(&self, now: Instant) -> f64 {
        let since = self.nanos(now).saturating_sub(self.sampled.load(Relaxed)) as f64 / 1e9;
        f64::from_bits(self.ewma.load(Relaxed)) * (-since / DECAY_SECONDS).exp()
    }

    /// What one more call would cost here: latency × (calls in flight + 1).
    pub(crate) fn cost(&self, now: Instant) -> f64 {
        let mut seconds = self.latency(now);
        if self.awaiting.load(Relaxed) >= STUCK_FROM {
            let stuck = self.nanos(now).saturating_sub(self.progress.load(Relaxed)) as f64 / 1e9;
            seconds = seconds.max(stuck);
        }
        seconds * f64::from(self.in_flight() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: Instant, seconds: f64) -> Instant {
        epoch + Duration::from_secs_f64(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn worse_sample_counts_at_once_and_is_forgotten_slowly() {
        let epoch = Instant::now();
        let load = Load::new(epoch);
        load.sample(Duration::from_millis(100), epoch);
        assert!((load.latency(epoch) - 0.1).abs() < 1e-9);
        assert!(load.latency(at(epoch, 1.0)) > 0.08);
        assert!(load.latency(at(epoch, 20.0)) < 0.002);
    }

    #[tokio::test(start_paused = true)]
    async fn steady_samples_converge_to_their_value() {
        let epoch = Instant::now();
        let load = Load::new(epoch);
        for tick in 0..2_000 {
            load.sample(Duration::from_millis(4), at(epoch, f64::from(tick) * 0.01));
        }
        let settled = load.latency(at(epoch, 20.0));
        assert!((0.0038..0.0042).contains(&settled), "{settled}");
    }

    #[tokio::test(start_paused = true)]
    async fn failing_fast_does_not_look_fast() {
        let epoch = Instant::now();
        let (healthy, failing) = (Load::new(epoch), Load::new(epoch));
        healthy.sample(Duration::from_millis(2), epoch);
        failing.sample(Duration::from_millis(2), epoch);
        failing.penalize(Duration::from_micros(100), epoch);
        assert!(failing.cost(epoch) > 5.0 * healthy.cost(epoch));
    }

    #[tokio::test(start_paused = true)]
    async fn owing_answers_makes_an_endpoint_costly_but_one_slow_query_does_not() {
        let epoch = Instant::now();
        let load = Load::new(epoch);
        load.begin(epoch);
        assert!(load.cost(at(epoch, 1.0)) < 0.01);
        load.begin(epoch);
        assert!(load.cost(at(epoch, 1.0)) > 1.0);
        load.answered(at(epoch, 1.0));
        load.end();
        assert!(load.cost(at(epoch, 1.0)) < 0.01);
        // Nor does what waits for something to happen.
        load.begin_waiting();
        load.begin_waiting();
        assert!(load.cost(at(epoch, 2.0)) < 0.01);
    }
}
