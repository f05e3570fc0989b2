//! The result of a run: for a person, and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::scenario::Scenario;
use super::tally::{Series, Tally, quantile_ms};

/// What a run came to. Latencies are of the calls that succeeded, from the moment each was due.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// The scenario's name.
    pub scenario: String,
    /// How long calls were started.
    pub seconds: f64,
    /// Calls that were due: `calls` and `dropped`.
    pub offered: u64,
    /// Calls that were started.
    pub calls: u64,
    /// Calls that ended with anything but OK.
    pub failed: u64,
    /// Calls that were not started, as too many were outstanding.
    pub dropped: u64,
    /// Percentiles in milliseconds.
    pub latency_ms: LatencyMs,
    /// The same for each kind of call.
    pub per_call: BTreeMap<String, PerCall>,
    /// Failed calls by status.
    pub failures: BTreeMap<String, u64>,
    /// What had to hold.
    pub thresholds: Vec<Threshold>,
    /// How much later than due calls were started, 99th percentile in milliseconds.
    pub lag_ms_p99: f64,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LatencyMs {
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// One kind of call.
#[derive(Debug, Clone, Serialize)]
pub struct PerCall {
    /// Calls that were started.
    pub calls: u64,
    /// Calls that ended with anything but OK.
    pub failed: u64,
    /// Percentiles in milliseconds.
    pub latency_ms: LatencyMs,
}

/// An upper limit, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Threshold {
    /// Name of the limit, such as `failed_ratio`.
    pub name: String,
    /// The most that may be.
    pub limit: f64,
    /// What was; infinite (in JSON, `null`) for a latency when no call succeeded.
    pub actual: f64,
    /// Whether it held.
    pub passed: bool,
}

impl LoadReport {
    pub(super) fn new(scenario: &Scenario, tally: &Tally, seconds: f64) -> Self {
        let names = scenario.calls.iter().map(|call| call.name.clone());
        let mut report = Self {
            scenario: scenario.name.clone(),
            seconds,
            offered: tally.all.calls + tally.dropped,
            calls: tally.all.calls,
            failed: tally.all.failed,
            dropped: tally.dropped,
            latency_ms: LatencyMs::of(&tally.all),
            per_call: names.zip(tally.per_call.iter().map(PerCall::of)).collect(),
            failures: tally.failures.clone(),
            thresholds: Vec::new(),
            lag_ms_p99: quantile_ms(&tally.lag_us, 0.99),
        };
        report.thresholds = scenario.thresholds.iter().map(|(name, limit)| report.judge(name, *limit)).collect();
        report
    }

    /// Whether every threshold held. A run without a single call has shown nothing, so it fails any.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.thresholds.iter().all(|threshold| threshold.passed)
    }

    fn judge(&self, name: &str, limit: f64) -> Threshold {
        let actual = self.measure(name);
        Threshold { name: name.to_owned(), limit, actual, passed: self.calls > 0 && actual <= limit }
    }

    #[allow(clippy::cast_precision_loss, reason = "call counts are below 2^52")]
    fn measure(&self, name: &str) -> f64 {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        // Nobody who waits for an answer that never comes has waited 0 ms for it.
        let latency = |ms: f64| if self.failed < self.calls { ms } else { f64::INFINITY };
        match name {
            "failed_ratio" => share(self.failed, self.calls),
            "dropped_ratio" => share(self.dropped, self.offered),
            "p50_ms" => latency(self.latency_ms.p50),
            "p90_ms" => latency(self.latency_ms.p90),
            "p99_ms" => latency(self.latency_ms.p99),
            "p999_ms" => latency(self.latency_ms.p999),
            "max_ms" => latency(self.latency_ms.max),
            "lag_p99_ms" => self.lag_ms_p99,
            _ => f64::INFINITY,
        }
    }
}

impl LatencyMs {
    /// Of no calls at all.
    pub(crate) fn none() -> Self {
        Self { p50: 0.0, p90: 0.0, p99: 0.0, p999: 0.0, max: 0.0 }
    }

    pub(crate) fn of(series: &Series) -> Self {
        let at = |quantile| quantile_ms(&series.latency_us, quantile);
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1.0) }
    }
}

impl PerCall {
    fn of(series: &Series) -> Self {
        Self { calls: series.calls, failed: series.failed, latency_ms: LatencyMs::of(series) }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, seconds, offered, calls, failed, dropped, .. } = self;
        writeln!(
            f,
            "{scenario}: {offered} offered in {seconds:.1} s, {calls} sent, {failed} failed, {dropped} dropped"
        )?;
        writeln!(
            f,
            "{:28} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "", "calls", "failed", "p50 ms", "p90", "p99", "p99.9", "max"
        )?;
        let mut line = |name: &str, calls: u64, failed: u64, l: LatencyMs| {
            let LatencyMs { p50, p90, p99, p999, max } = l;
            writeln!(f, "{name:28} {calls:>9} {failed:>8} {p50:>9.2} {p90:>9.2} {p99:>9.2} {p999:>9.2} {max:>9.2}")
        };
        for (name, call) in &self.per_call {
            line(name, call.calls, call.failed, call.latency_ms)?;
        }
        line("all", *calls, *failed, self.latency_ms)?;
        for (reason, count) in &self.failures {
            writeln!(f, "  failed with {reason}: {count}")?;
        }
        writeln!(f, "  calls started late by {:.2} ms at the 99th percentile", self.lag_ms_p99)?;
        for Threshold { name, limit, actual, passed } in &self.thresholds {
            let verdict = if *passed { "held" } else { "BROKEN" };
            writeln!(f, "  {verdict:7} {name} {actual:.4} (limit {limit})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tally::Outcome;
    use super::*;

    fn report(failures: &[Option<&str>]) -> LoadReport {
        let text =
            "name = 't'\nrate = 1\nduration = '1s'\n[[calls]]\nname = 'c'\nrpc = 'a.B/C'\n[thresholds]\np99_ms = 250";
        let mut tally = Tally::new(1).unwrap();
        for failure in failures {
            let failure = failure.map(str::to_owned);
            tally.count(&Outcome { index: 0, latency: Duration::from_millis(10), lag: Duration::ZERO, failure });
        }
        LoadReport::new(&Scenario::parse(text).unwrap(), &tally, 1.0)
    }

    #[test]
    fn latency_of_no_success_is_beyond_every_limit() {
        assert!(report(&[None]).passed());
        assert!(report(&[None, Some("Unavailable")]).passed(), "it says nothing of failures");
        let failing = report(&[Some("Unavailable"); 3]);
        assert!(!failing.passed(), "{failing}");
        assert!(serde_json::to_string(&failing).unwrap().contains(r#""actual":null"#));
        assert!(!report(&[]).passed(), "nor does a run without a call hold");
    }
}
