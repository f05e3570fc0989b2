//! How an endpoint has done: totals, failures in a row, and the last seconds in one-second buckets.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::Outcome;

/// Seconds that are remembered; the longest window that can be judged is one less.
const BUCKETS: usize = 16;

/// Successes in a row that clear an endpoint of suspicion: one that fails three calls of ten makes as many one time in 35.
const CLEARED_BY: u32 = 10;

#[derive(Debug)]
pub(crate) struct Recent {
    epoch: Instant,
    consecutive: AtomicU32,
    /// Successes that are still wanted after its last failure.
    suspicion: AtomicU32,
    calls: AtomicU64,
    failures: AtomicU64,
    cancelled: AtomicU64,
    buckets: [Bucket; BUCKETS],
    /// Seconds since `epoch` before which nothing counts for the success rate.
    judged_from: AtomicU64,
}

/// One second. It belongs to second `stamp`; whoever comes first in a new second clears it, and samples that race with the
/// clearing are lost, which no judgement notices.
#[derive(Debug, Default)]
struct Bucket {
    stamp: AtomicU64,
    calls: AtomicU32,
    served: AtomicU32,
    failed: AtomicU32,
}

/// Samples of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Samples {
    pub(crate) calls: u32,
    pub(crate) served: u32,
    pub(crate) failed: u32,
}

impl Recent {
    pub(crate) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            consecutive: AtomicU32::new(0),
            suspicion: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            buckets: Default::default(),
            judged_from: AtomicU64::new(0),
        }
    }

    /// Seconds since the epoch, from 1, so that an untouched bucket's stamp of 0 is none of them.
    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_secs() + 1
    }

    /// Takes in an outcome; returns how many failures in a row that makes.
    pub(crate) fn record(&self, outcome: Outcome, now: Instant) -> u32 {
        let bucket = self.bucket(self.second(now));
        self.calls.fetch_add(1, Relaxed);
        bucket.calls.fetch_add(1, Relaxed);
        match outcome {
            Outcome::Served => {
                bucket.served.fetch_add(1, Relaxed);
                self.calm_suspicion();
                self.clear_consecutive()
            }
            Outcome::Failed => {
                bucket.failed.fetch_add(1, Relaxed);
                self.suspicion.store(CLEARED_BY, Relaxed);
                self.failure()
            }
            Outcome::Lost => {
                self.failures.fetch_add(1, Relaxed);
                0
            }
            // Not in the success rate: an overloaded upstream times out everywhere, and ejecting makes that worse. A hung
            // endpoint shows by timing out every time.
            Outcome::TimedOut => self.failure(),
            Outcome::PassedOn => 0,
            Outcome::Cancelled => {
                self.cancelled.fetch_add(1, Relaxed);
                0
            }
        }
    }

    fn clear_consecutive(&self) -> u32 {
        // Reading first keeps the line shared between cores while all is well.
        if self.consecutive.load(Relaxed) != 0 {
            self.consecutive.store(0, Relaxed);
        }
        0
    }

    fn calm_suspicion(&self) {
        let wanted = self.suspicion.load(Relaxed);
        if wanted != 0 {
            // A step that is lost to a race costs one more success.
            self.suspicion.store(wanted - 1, Relaxed);
        }
    }

    /// Whether it failed a call and has not shown since that this was an exception.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspicion.load(Relaxed) != 0
    }

    fn failure(&self) -> u32 {
        self.failures.fetch_add(1, Relaxed);
        self.consecutive.fetch_add(1, Relaxed) + 1
    }

    fn bucket(&self, second: u64) -> &Bucket {
        let bucket = &self.buckets[usize::try_from(second).unwrap_or(0) % BUCKETS];
        let stamp = bucket.stamp.load(Relaxed);
        if stamp != second && bucket.stamp.compare_exchange(stamp, second, Relaxed, Relaxed).is_ok() {
            bucket.calls.store(0, Relaxed);
            bucket.served.store(0, Relaxed);
            bucket.failed.store(0, Relaxed);
        }
        bucket
    }

    /// Forgets what would eject it: it was judged, or returns.
    pub(crate) fn acquit(&self, now: Instant) {
        self.consecutive.store(0, Relaxed);
        self.suspicion.store(0, Relaxed);
        self.judged_from.store(self.second(now), Relaxed);
        let bucket = self.bucket(self.second(now));
        bucket.served.store(0, Relaxed);
        bucket.failed.store(0, Relaxed);
    }

    /// Samples since the last acquittal, over a window of at most 15 s.
    pub(crate) fn judged(&self, window: Duration, now: Instant) -> Samples {
        self.since(window, now, self.judged_from.load(Relaxed))
    }

    /// Samples over a window of at most 15 s.
    pub(crate) fn over(&self, window: Duration, now: Instant) -> Samples {
        self.since(window, now, 0)
    }

    fn since(&self, window: Duration, now: Instant, floor: u64) -> Samples {
        let last = self.second(now);
        let length = window.as_secs().clamp(1, BUCKETS as u64 - 1);
        let first = last.saturating_sub(length - 1).max(floor);
        let live = self.buckets.iter().filter(|bucket| (first..=last).contains(&bucket.stamp.load(Relaxed)));
        live.fold(Samples::default(), |sum, bucket| Samples {
            calls: sum.calls + bucket.calls.load(Relaxed),
            served: sum.served + bucket.served.load(Relaxed),
            failed: sum.failed + bucket.failed.load(Relaxed),
        })
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    pub(crate) fn cancelled(&self) -> u64 {
        self.cancelled.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn success_breaks_a_row_of_failures_and_cancelling_does_not_add_to_it() {
        let now = Instant::now();
        let recent = Recent::new(now);
        assert_eq!(recent.record(Outcome::Failed, now), 1);
        assert_eq!(recent.record(Outcome::TimedOut, now), 2);
        assert_eq!(recent.record(Outcome::Cancelled, now), 0);
        assert_eq!(recent.record(Outcome::PassedOn, now), 0);
        assert_eq!(recent.record(Outcome::Failed, now), 3);
        assert_eq!(recent.record(Outcome::Served, now), 0);
        assert_eq!(recent.record(Outcome::Failed, now), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn window_forgets_and_the_ring_wraps() {
        let epoch = Instant::now();
        let recent = Recent::new(epoch);
        for second in 0..40 {
            let now = epoch + Duration::from_secs(second);
            recent.record(if second < 38 { Outcome::Served } else { Outcome::Failed }, now);
        }
        let now = epoch + Duration::from_secs(39);
        assert_eq!(recent.over(WINDOW, now), Samples { calls: 5, served: 3, failed: 2 });
        assert_eq!(recent.over(WINDOW, now + Duration::from_secs(20)), Samples::default());
    }

    #[tokio::test(start_paused = true)]
    async fn suspicion_ends_after_ten_successes_on_end_or_an_acquittal() {
        let now = Instant::now();
        let recent = Recent::new(now);
        let check = |outcomes: &[(Outcome, u32)], suspect: bool| {
            for (outcome, times) in outcomes {
                (0..*times).for_each(|_| {
                    recent.record(*outcome, now);
                });
            }
            assert_eq!(recent.is_suspect(), suspect, "{outcomes:?}");
        };
        check(&[(Outcome::TimedOut, 1), (Outcome::Lost, 1), (Outcome::Cancelled, 1), (Outcome::PassedOn, 1)], false);
        check(&[(Outcome::Failed, 1)], true);
        check(&[(Outcome::Served, 9), (Outcome::PassedOn, 9), (Outcome::Failed, 1), (Outcome::Served, 9)], true);
        check(&[(Outcome::Served, 1)], false);
        recent.record(Outcome::Failed, now);
        recent.acquit(now);
        check(&[], false);
    }

    #[tokio::test(start_paused = true)]
    async fn acquittal_clears_what_would_judge_but_not_what_is_shown() {
        let now = Instant::now();
        let recent = Recent::new(now);
        recent.record(Outcome::Failed, now);
        recent.acquit(now);
        assert_eq!(recent.judged(WINDOW, now).failed, 0);
        assert_eq!(recent.over(WINDOW, now).calls, 1);
        assert_eq!(recent.failures(), 1);
        assert_eq!(recent.record(Outcome::Failed, now), 1);
    }
}
