//! The last minutes of one upstream: totals and percentiles at moments about half a second apart.

use std::collections::VecDeque;

use crm_balance::Phase;

use crate::control::Upstream;

/// How far back a chart can look, in seconds.
pub(crate) const KEPT_SECONDS: f64 = 600.0;
/// A second bound, should samples come faster than they ought to.
const KEPT_SAMPLES: usize = 1_500;
/// Replicas of which each sample keeps figures.
const MAX_REPLICAS: usize = 32;
/// Rates are differences of totals over this many seconds: short enough to show a fault at once, long enough to be calm.
pub(crate) const RATE_SECONDS: f64 = 6.0;

/// One moment. Totals are since the gateway's start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: f64,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) retries: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) replicas: Vec<Dot>,
}

/// One replica at that moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dot {
    pub(crate) ordinal: u32,
    pub(crate) state: Phase,
    pub(crate) broken: bool,
    pub(crate) calls: u64,
    pub(crate) failures: u64,
}

impl Sample {
    pub(crate) fn of(upstream: &Upstream, at: f64) -> Self {
        let calls = upstream.calls;
        let replicas = upstream.replicas.iter().take(MAX_REPLICAS).map(|replica| Dot {
            ordinal: replica.seen.ordinal,
            state: replica.seen.state,
            broken: replica.fault.is_some(),
            calls: replica.seen.calls,
            failures: replica.seen.failures,
        });
        let (p50_ms, p99_ms) = (calls.p50_ms, calls.p99_ms);
        let failed = calls.errors;
        Self { at, ok: calls.ok, failed, retries: calls.retries, p50_ms, p99_ms, replicas: replicas.collect() }
    }

    pub(crate) fn replica(&self, ordinal: u32) -> Option<&Dot> {
        self.replicas.iter().find(|dot| dot.ordinal == ordinal)
    }

    /// Attempts that failed, at whichever replica.
    pub(crate) fn attempts_failed(&self) -> u64 {
        self.replicas.iter().map(|dot| dot.failures).sum()
    }

    fn attempts(&self) -> u64 {
        self.replicas.iter().map(|dot| dot.calls).sum()
    }
}

/// A bounded ring of samples, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
}

impl History {
    pub(crate) fn push(&mut self, sample: Sample) {
        let oldest = sample.at - KEPT_SECONDS;
        self.samples.push_back(sample);
        while self.samples.len() > KEPT_SAMPLES || self.samples.front().is_some_and(|first| first.at < oldest) {
            self.samples.pop_front();
        }
    }

    pub(crate) fn latest(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// Samples from a moment on.
    pub(crate) fn since(&self, from: f64) -> impl Iterator<Item = &Sample> {
        let first = self.samples.partition_point(|sample| sample.at < from);
        self.samples.range(first..)
    }

    /// What was known at a moment; nothing if the gateway was away then.
    pub(crate) fn at(&self, moment: f64) -> Option<&Sample> {
        const GAP: f64 = 3.0;
        let after = self.samples.partition_point(|sample| sample.at <= moment);
        let sample = self.samples.get(after.checked_sub(1)?)?;
        (moment - sample.at < GAP).then_some(sample)
    }

    /// The growth of a total per second, up to a moment. Not a number where nothing is known, or the total began anew.
    pub(crate) fn rate(&self, moment: f64, total: impl Fn(&Sample) -> Option<u64>) -> f64 {
        self.growth(moment, total).map_or(f64::NAN, |(grown, seconds)| grown / seconds)
    }

    /// A replica's part of the attempts, up to a moment: 0 to 1.
    pub(crate) fn share(&self, moment: f64, ordinal: u32) -> f64 {
        let own = self.rate(moment, |sample| sample.replica(ordinal).map(|dot| dot.calls));
        let all = self.rate(moment, |sample| Some(sample.attempts()));
        if all > 0.0 { (own / all).clamp(0.0, 1.0) } else { f64::NAN }
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^53")]
    fn growth(&self, moment: f64, total: impl Fn(&Sample) -> Option<u64>) -> Option<(f64, f64)> {
        let (now, before) = (self.at(moment)?, self.at(moment - RATE_SECONDS)?);
        let (grown, seconds) = (total(now)?.checked_sub(total(before)?)?, now.at - before.at);
        (seconds > 0.0).then_some((grown as f64, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: f64, ok: u64, calls: [u64; 2]) -> Sample {
        let dot = |ordinal, calls| Dot { ordinal, state: Phase::Ready, broken: false, calls, failures: 0 };
        let replicas = vec![dot(0, calls[0]), dot(1, calls[1])];
        Sample { at, ok, failed: 0, retries: 0, p50_ms: 1.0, p99_ms: 2.0, replicas }
    }

    #[test]
    fn ring_forgets_what_is_old_and_what_is_too_much() {
        let mut history = History::default();
        (0..3_000).for_each(|n: u32| history.push(sample(f64::from(n) / 2.0, 0, [0, 0])));
        assert!(history.samples.len() <= KEPT_SAMPLES);
        assert!(history.samples[0].at >= 1_499.5 - KEPT_SECONDS);
        (0..3_000).for_each(|_| history.push(sample(1_500.0, 0, [0, 0])));
        assert_eq!(history.samples.len(), KEPT_SAMPLES);
    }

    #[test]
    fn rates_and_shares_are_of_the_last_seconds() {
        let mut history = History::default();
        for second in 0..20_u32 {
            let n = u64::from(second);
            history.push(sample(f64::from(second), n * 8, [n * 6, n * 2]));
        }
        assert_eq!(history.rate(19.0, |sample| Some(sample.ok)), 8.0);
        assert_eq!(history.share(19.0, 0), 0.75);
        assert!(history.share(19.0, 7).is_nan());
        assert!(history.rate(2.0, |sample| Some(sample.ok)).is_nan(), "nothing is known from before");
    }

    #[test]
    fn a_gap_and_a_restart_break_the_line_instead_of_drawing_a_lie() {
        let mut history = History::default();
        [0.0, 6.0, 12.0].into_iter().for_each(|at| history.push(sample(at, 1_000, [0, 0])));
        [38.0, 44.0].into_iter().for_each(|at| history.push(sample(at, 5, [0, 0])));
        let ok = |sample: &Sample| Some(sample.ok);
        assert!(history.rate(20.0, ok).is_nan());
        assert_eq!(history.rate(44.0, ok), 0.0);
        history.push(sample(50.0, 2, [0, 0]));
        assert!(history.rate(50.0, ok).is_nan());
    }
}
