//! SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
//!
//! Written out, because the data must stay the same for years, and library generators change with their releases.

use uuid::Uuid;

/// Numbers that depend on nothing but the seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of the `number`th thing of its kind.
    pub fn new(kind: u64, number: u32) -> Self {
        let mut random = Self(kind ^ u64::from(number).wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    /// As [`new`](Self::new), with others in each tenant.
    pub fn of_tenant(tenant: u32, kind: u64, number: u32) -> Self {
        Self::new(kind ^ (u64::from(tenant) << 40), number)
    }

    /// The next number.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end - 1`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, each as likely.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or_default();
        &items[index]
    }

    /// One of the items, the earlier the likelier.
    pub fn pick_early<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        let (one, other) = (self.below(items.len() as u64), self.below(items.len() as u64));
        &items[usize::try_from(one.min(other)).unwrap_or_default()]
    }

    /// A number from 0 to `end - 1`, the smaller the likelier: of 20,000 names the first is that of one in thirty.
    pub fn skewed(&mut self, end: u32) -> u32 {
        const PARTS: u128 = 1 << 20;
        let part = u128::from(self.next()) % PARTS;
        u32::try_from(u128::from(end) * part * part * part / (PARTS * PARTS * PARTS)).unwrap_or_default()
    }

    /// A UUIDv7 of the given moment (RFC 9562).
    pub fn id(&mut self, milliseconds: u64) -> Uuid {
        let high = (milliseconds << 16) | 0x7000 | (self.next() & 0x0fff);
        let low = (self.next() >> 2) | (1 << 63);
        Uuid::from_u64_pair(high, low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change() {
        let mut random = Random::new(1, 2);
        let numbers = [random.next(), random.next()];
        assert_eq!(numbers, [0xc50f_2c2a_1b32_9d4b, 0x406b_ef04_305f_5d50]);
    }

    #[test]
    fn skewed_numbers_are_below_their_end_and_mostly_small() {
        let mut random = Random::new(3, 1);
        let numbers: Vec<u32> = (0..10_000).map(|_| random.skewed(1_000)).collect();
        assert!(numbers.iter().all(|number| *number < 1_000) && numbers.iter().any(|number| *number > 900));
        let first = numbers.iter().filter(|number| **number == 0).count();
        assert!((800..1_200).contains(&first), "a tenth is the first: {first}");
        assert_eq!(random.skewed(0), 0);
    }

    #[test]
    fn ids_are_of_version_7_and_grow_with_time() {
        let mut random = Random::new(7, 0);
        let (early, late) = (random.id(1_704_067_200_000), random.id(1_704_067_200_001));
        assert_eq!((early.get_version_num(), early.get_variant()), (7, uuid::Variant::RFC4122));
        assert!(early < late);
    }
}
