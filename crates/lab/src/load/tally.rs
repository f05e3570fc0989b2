//! What came back: one histogram a call, failures by reason, the generator's own lag.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart: two minutes, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// One finished call.
pub(crate) struct Outcome {
    /// Its place in the scenario.
    pub(crate) index: usize,
    /// From the moment it was due.
    pub(crate) latency: Duration,
    /// How much later than due it was started.
    pub(crate) lag: Duration,
    /// `None` if it succeeded.
    pub(crate) failure: Option<String>,
}

/// Counts and latencies of one kind of call, or of all.
pub(crate) struct Series {
    /// Of the calls that succeeded, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
    pub(crate) calls: u64,
    pub(crate) failed: u64,
}

/// All that was seen in a run.
pub(crate) struct Tally {
    pub(crate) all: Series,
    pub(crate) per_call: Vec<Series>,
    pub(crate) lag_us: Histogram<u64>,
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) dropped: u64,
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
    pub(crate) fn new(kinds: usize) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            all: Series::new()?,
            per_call: (0..kinds).map(|_| Series::new()).collect::<Result<_, _>>()?,
            lag_us: Histogram::new_with_bounds(1, LONGEST_US, 3)?,
            failures: BTreeMap::new(),
            dropped: 0,
        })
    }

    /// 99th percentile of how late calls were started, in milliseconds.
    pub(crate) fn lag_ms_p99(&self) -> f64 {
        quantile_ms(&self.lag_us, 0.99)
    }

    pub(crate) fn count(&mut self, outcome: &Outcome) {
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
pub(crate) fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}
