//! How long values are kept, and how many.

use std::time::Duration;

/// Policy of one cache.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name in keys, spans and metrics, such as `accounts`.
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
}

impl Policy {
    /// Defaults: 10 min shared, 10 s in process and for absence, a tenth of jitter, 8 MiB.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ttl: Duration::from_secs(600),
            negative_ttl: Duration::from_secs(10),
            jitter: 0.1,
            l1_bytes: 8 << 20,
            l1_ttl: Duration::from_secs(10),
        }
    }
}
