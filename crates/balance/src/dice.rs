//! Randomness that many calls share without a lock, and that a seed makes repeatable.

use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 (Steele, Lea and Flood, 2014): its state is a counter, so one atomic addition is all that calls share.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(rand::random)))
    }

    fn next(&self) -> u64 {
        mix(self.0.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN))
    }

    /// Evenly among `0..bound`; 0 if there is nothing to choose from.
    pub(crate) fn below(&self, bound: usize) -> usize {
        // Lemire's multiplication instead of a remainder; its bias is below 2⁻³² for any sensible number of endpoints.
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// Evenly in `0.0..1.0`.
    pub(crate) fn unit(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Spreads the bits of a key; also what turns a weak hash into a good one.
pub(crate) const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// A stable hash of bytes (FNV-1a, then mixed): two gateways must agree on it.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    mix(fnv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_throws_the_same() {
        let (left, right) = (Dice::new(Some(7)), Dice::new(Some(7)));
        for _ in 0..100 {
            assert_eq!(left.below(6), right.below(6));
        }
    }

    #[test]
    fn throws_are_even_and_in_range() {
        let dice = Dice::new(Some(1));
        let mut counts = [0_u32; 4];
        for _ in 0..40_000 {
            counts[dice.below(4)] += 1;
            assert!((0.0..1.0).contains(&dice.unit()));
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }

    #[test]
    fn nothing_to_choose_from_is_zero() {
        assert_eq!(Dice::new(Some(1)).below(0), 0);
    }
}
