use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one atomic addition a
/// throw, so that all threads may throw at once.
#[derive(Debug)]
pub(super) struct Dice {
    state: AtomicU64,
}

/// The odd number nearest to 2^64 divided by the golden ratio: successive states are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// True for this part of the throws, 0 to 1.
    pub(super) fn falls_within(&self, part: f64) -> bool {
        self.throw() < part
    }

    /// 0 to 1, never 1 itself.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what a double holds exactly")]
    fn throw(&self) -> f64 {
        let mut z = self.state.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Another one for each process: the standard library's hasher has a random key.
pub(super) fn fresh_seed() -> u64 {
    RandomState::new().hash_one(0)
}
