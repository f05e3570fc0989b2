//! What came back: one histogram a call, failures by reason, the generator's own lag.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart: two minutes, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// One finished call.
pub(super) struct Outcome {
    /// Its place in the scenario.
    pub(super) index: usize,
    /// From the moment it was due.
    pub(super) latency: Duration,
    /// How much later than due it was started.
    pub(super) lag: Duration,
    /// `None` if it succeeded.
    pub(super) failure: Option<String>,
}

/// Counts and latencies of one kind of call, or of all.
pub(super) struct Series {
    /// Of the calls that succeeded, in microseconds.
    pub(super) latency_us: Histogram<u64>,
    pub(super) calls: u64,
    pub(super) failed: u64,
}

/// All that was seen in a run.
pub(super) struct Tally {
    pub(super) all: Series,
    pub(super) per_call: Vec<Series>,
    pub(super) lag_us: Histogram<u64>,
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) dropped: u64,
}

impl Series {
    fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self { latency_us: Histogram::new_with_bounds(1, LONGEST_US, 3)?, calls: 0, failed: 0 })
    }

    fn count(&mut self, outcome: &Outcome) {
        self.calls += 1;
        if outcome.failure.is_some() {
            self.failed += 1;
        } else {
            self.latency_us.saturating_record(micros(outcome.latency));
        }
    }
}

impl Tally {
    pub(super) fn new(kinds: usize) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            all: Series::new()?,
            per_call: (0..kinds).map(|_| Series::new()).collect::<Result<_, _>>()?,
            lag_us: Histogram::new_with_bounds(1, LONGEST_US, 3)?,
            failures: BTreeMap::new(),
            dropped: 0,
        })
    }

    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.all.count(outcome);
        if let Some(series) = self.per_call.get_mut(outcome.index) {
            series.count(outcome);
        }
        self.lag_us.saturating_record(micros(outcome.lag));
        if let Some(reason) = &outcome.failure {
            *self.failures.entry(reason.clone()).or_default() += 1;
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US).max(1)
}

/// A quantile in milliseconds; 0 if nothing was recorded.
#[allow(clippy::cast_precision_loss, reason = "two minutes in microseconds are below 2^52")]
pub(super) fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}
