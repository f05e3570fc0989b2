//! How long values are kept, and how many.

use std::time::Duration;

/// Policy of one cache.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name in keys, spans and metrics, such as `accounts`. Caches of one name share the second tier within a service.
    pub name: &'static str,
    /// Life of a value in the shared tier.
    pub ttl: Duration,
    /// Life of "there is no such thing", in both tiers.
    pub negative_ttl: Duration,
    /// Share of a life, 0 to 1, by which it is shortened at random, so that values filled together do not expire together.
    pub jitter: f64,
    /// Most bytes that the first tier holds, by [`Entry::weight`](crate::Entry::weight) and the length of keys.
    pub l1_bytes: u64,
    /// Life of a value in the first tier: the longest that a lost invalidation can matter.
    pub l1_ttl: Duration,
    /// Which entries the first tier gives up when it is full.
    pub l1_eviction: Eviction,
}

/// Which entries a full first tier gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eviction {
    /// Those used least often (TinyLFU): a scan over many keys does not push out the popular ones.
    LeastFrequentlyUsed,
    /// Those not used for longest.
    LeastRecentlyUsed,
}

impl Policy {
    /// Defaults: 10 min shared, 10 s in process and for absence, a tenth of jitter, 8 MiB, least frequently used first.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ttl: Duration::from_secs(600),
            negative_ttl: Duration::from_secs(10),
            jitter: 0.1,
            l1_bytes: 8 << 20,
            l1_ttl: Duration::from_secs(10),
            l1_eviction: Eviction::LeastFrequentlyUsed,
        }
    }

    /// The life, shortened by a random part of the jitter; a millisecond at least, since Redis knows no shorter one.
    pub(crate) fn jittered(&self, life: Duration) -> Duration {
        let jitter = if self.jitter.is_nan() { 0.0 } else { self.jitter.clamp(0.0, 1.0) };
        let share = jitter * rand::random::<f64>();
        life.mul_f64(1.0 - share).max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_shortens_and_not_beyond_its_share() {
        let check = |jitter: f64, least: u64| {
            let policy = Policy { jitter, ..Policy::new("test") };
            let life = Duration::from_secs(10);
            for _ in 0..1_000 {
                let jittered = policy.jittered(life);
                assert!(jittered <= life && jittered >= Duration::from_millis(least), "{jitter}: {jittered:?}");
            }
        };
        check(0.0, 10_000);
        check(0.1, 9_000);
        check(1.0, 1);
        check(7.0, 1);
        check(-1.0, 10_000);
        check(f64::NAN, 10_000);
    }
}
