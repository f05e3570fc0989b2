//! Recent latencies as a histogram of atomics, for the percentiles that a person watches.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Buckets grow by a fifth: percentiles are right to within ten per cent, from 10 µs to 90 s.
const GROWTH: f64 = 1.2;
const SMALLEST_SECONDS: f64 = 10e-6;
const BUCKETS: usize = 88;
/// Two halves take turns, so that a percentile covers between one and two of these.
const HALF: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Latencies {
    epoch: Instant,
    halves: [Half; 2],
}

#[derive(Debug)]
struct Half {
    stamp: AtomicU64,
    counts: [AtomicU32; BUCKETS],
}

impl Latencies {
    pub(crate) fn new(epoch: Instant) -> Self {
        let half = || Half { stamp: AtomicU64::new(0), counts: [const { AtomicU32::new(0) }; BUCKETS] };
        Self { epoch, halves: [half(), half()] }
    }

    fn turn(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_secs() / HALF.as_secs() + 1
    }

    pub(crate) fn record(&self, elapsed: Duration, now: Instant) {
        let turn = self.turn(now);
        let half = &self.halves[usize::from(turn % 2 == 1)];
        let stamp = half.stamp.load(Relaxed);
        if stamp != turn && half.stamp.compare_exchange(stamp, turn, Relaxed, Relaxed).is_ok() {
            half.counts.iter().for_each(|count| count.store(0, Relaxed));
        }
        half.counts[bucket_of(elapsed)].fetch_add(1, Relaxed);
    }

    /// Seconds below which each given share of the recent samples lies; 0 without samples.
    pub(crate) fn percentiles<const N: usize>(&self, shares: [f64; N], now: Instant) -> [f64; N] {
        let turn = self.turn(now);
        let live: Vec<&Half> = self.halves.iter().filter(|half| half.stamp.load(Relaxed) + 1 >= turn.max(2)).collect();
        let counts: [u64; BUCKETS] =
            std::array::from_fn(|at| live.iter().map(|half| u64::from(half.counts[at].load(Relaxed))).sum());
        let total: u64 = counts.iter().sum();
        shares.map(|share| percentile(&counts, total, share))
    }
}

fn bucket_of(elapsed: Duration) -> usize {
    let ratio = elapsed.as_secs_f64() / SMALLEST_SECONDS;
    if ratio <= 1.0 {
        return 0;
    }
    // In range: the logarithm of a positive finite number below 2⁶⁴ / 10⁻⁵ is small, and `min` bounds the rest.
    ((ratio.ln() / GROWTH.ln()) as usize + 1).min(BUCKETS - 1)
}

fn percentile(counts: &[u64; BUCKETS], total: u64, share: f64) -> f64 {
    if total == 0 {
        return 0.0;
    }
    let rank = (total as f64 * share).ceil() as u64;
    let mut seen = 0;
    let at = counts.iter().position(|count| {
        seen += count;
        seen >= rank.max(1)
    });
    // The middle of the bucket, on its own scale.
    SMALLEST_SECONDS * GROWTH.powf(at.unwrap_or(BUCKETS - 1) as f64 - 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn percentiles_are_right_to_within_a_tenth_and_old_samples_go() {
        let epoch = Instant::now();
        let latencies = Latencies::new(epoch);
        for millis in 1..=1_000 {
            latencies.record(Duration::from_millis(millis), epoch);
        }
        let [median, tail] = latencies.percentiles([0.5, 0.99], epoch);
        assert!((0.45..0.55).contains(&median), "{median}");
        assert!((0.89..1.09).contains(&tail), "{tail}");
        assert_eq!(latencies.percentiles([0.5], epoch + Duration::from_secs(60)), [0.0]);
    }

    #[test]
    fn every_duration_has_a_bucket() {
        for elapsed in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(3_600), Duration::MAX] {
            assert!(bucket_of(elapsed) < BUCKETS);
        }
    }
}
