//! The first tier: values in this process, bounded by weight and time.
//!
//! A fill takes time, and a write may pass it on its way. So a lookup takes a ticket before it reads anything, and a fill
//! shows its ticket: it is refused if the key was forgotten, or the whole tier dropped, since then. Tickets need no
//! tombstones: they count in a fixed number of stripes, which keys share, so that one forgotten key can refuse
//! a neighbour's fill. That costs the neighbour one more look at the second tier.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::{Expiry, sync};

use crate::metrics::{Instruments, Removal};
use crate::{Entry, Eviction, Policy};

const STRIPES: usize = 1_024;
/// What moka and a slot need beside key and value, roughly.
const OVERHEAD: usize = 160;

/// What is known of a key.
#[derive(Debug)]
pub(crate) enum Known<V> {
    Value(Arc<V>),
    Absent,
}

impl<V> Clone for Known<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Value(value) => Self::Value(Arc::clone(value)),
            Self::Absent => Self::Absent,
        }
    }
}

impl<V: Entry> Known<V> {
    pub(crate) fn of(value: Option<&Arc<V>>) -> Self {
        value.map_or(Self::Absent, |value| Self::Value(Arc::clone(value)))
    }

    pub(crate) fn into_option(self) -> Option<Arc<V>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent => None,
        }
    }

    fn version(&self) -> u64 {
        match self {
            Self::Value(value) => value.version(),
            Self::Absent => 0,
        }
    }

    fn weight(&self) -> u32 {
        match self {
            Self::Value(value) => value.weight(),
            Self::Absent => 0,
        }
    }
}

#[derive(Debug)]
struct Slot<V> {
    known: Known<V>,
    epoch: u64,
    life: Duration,
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), epoch: self.epoch, life: self.life }
    }
}

/// Taken before a lookup reads anything; shown by its fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    stripe: usize,
    count: u64,
    epoch: u64,
}

pub(crate) struct FirstTier<V> {
    slots: sync::Cache<String, Slot<V>>,
    hasher: RandomState,
    stripes: Box<[AtomicU64]>,
    /// Grows when the whole tier is dropped; slots of an older epoch are no longer seen.
    epoch: AtomicU64,
    instruments: Arc<Instruments>,
}

impl<V: Entry> FirstTier<V> {
    pub(crate) fn new(policy: &Policy, instruments: Arc<Instruments>) -> Self {
        let listener = Arc::clone(&instruments);
        let slots = sync::Cache::builder()
            .max_capacity(policy.l1_bytes)
            .weigher(|key: &String, slot| weigh(key, slot))
            .eviction_policy(match policy.l1_eviction {
                Eviction::LeastFrequentlyUsed => EvictionPolicy::tiny_lfu(),
                Eviction::LeastRecentlyUsed => EvictionPolicy::lru(),
            })
            .expire_after(Life)
            .eviction_listener(move |_, _, cause| match cause {
                RemovalCause::Size => listener.count_removals(Removal::Evicted, 1),
                RemovalCause::Expired => listener.count_removals(Removal::Expired, 1),
                RemovalCause::Explicit | RemovalCause::Replaced => {}
            })
            .build();
        let stripes = std::iter::repeat_with(AtomicU64::default).take(STRIPES).collect();
        Self { slots, hasher: RandomState::new(), stripes, epoch: AtomicU64::default(), instruments }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Known<V>> {
        let slot = self.slots.get(key)?;
        (slot.epoch == self.epoch.load(Ordering::Acquire)).then_some(slot.known)
    }

    pub(crate) fn ticket(&self, key: &str) -> Ticket {
        let epoch = self.epoch.load(Ordering::Acquire);
        let (stripe, count) = self.stripe(key);
        Ticket { stripe, count: count.load(Ordering::Acquire), epoch }
    }

    /// Whether nothing has been forgotten since the ticket was taken that could be its key.
    pub(crate) fn is_valid(&self, ticket: Ticket) -> bool {
        let count = self.stripes.get(ticket.stripe).map(|count| count.load(Ordering::Acquire));
        count == Some(ticket.count) && self.epoch.load(Ordering::Acquire) == ticket.epoch
    }

    /// Keeps what is known, unless the ticket has become invalid or something newer is held. Answers whether it did.
    pub(crate) fn fill(&self, key: &str, known: Known<V>, life: Duration, ticket: Ticket) -> bool {
        let mut refused = false;
        let slot = Slot { known, epoch: ticket.epoch, life };
        // The closure runs under the key's lock, which `forget` takes as well: the ticket cannot go stale before the put.
        self.slots.entry_by_ref(key).and_compute_with(|held| {
            let newer = held.is_some_and(|held| self.is_newer(held.value(), &slot));
            refused = newer || !self.is_valid(ticket);
            if refused { Op::Nop } else { Op::Put(slot) }
        });
        if refused {
            self.instruments.count_refused_l1();
        }
        !refused
    }

    fn is_newer(&self, held: &Slot<V>, slot: &Slot<V>) -> bool {
        held.epoch == self.epoch.load(Ordering::Acquire) && held.known.version() > slot.known.version()
    }

    /// Forgets the key, unless what is held is at least as new as `version`; refuses the fills that are on their way.
    pub(crate) fn forget(&self, key: &str, version: u64, why: Removal) {
        let (_, count) = self.stripe(key);
        count.fetch_add(1, Ordering::AcqRel);
        let mut removed = false;
        self.slots.entry_by_ref(key).and_compute_with(|held| {
            removed = held.is_some_and(|held| held.value().known.version() < version);
            if removed { Op::Remove } else { Op::Nop }
        });
        if removed {
            self.instruments.count_removals(why, 1);
        }
    }

    /// Drops the whole tier at once; refuses all fills that are on their way.
    pub(crate) fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.instruments.count_removals(Removal::Reconnect, self.slots.entry_count());
        // Unseen already; this gives the memory back.
        self.slots.invalidate_all();
    }

    /// Entries and their weight in bytes, as far as moka's housekeeping has come.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.slots.entry_count(), self.slots.weighted_size())
    }

    /// Lets moka's housekeeping catch up, which else happens every now and then.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        self.slots.run_pending_tasks();
    }

    fn stripe(&self, key: &str) -> (usize, &AtomicU64) {
        let hash = self.hasher.hash_one(key);
        let stripe = usize::try_from(hash % self.stripes.len() as u64).unwrap_or_default();
        (stripe, &self.stripes[stripe])
    }
}

fn weigh<V: Entry>(key: &str, slot: &Slot<V>) -> u32 {
    let around = u32::try_from(key.len() + OVERHEAD).unwrap_or(u32::MAX);
    slot.known.weight().saturating_add(around)
}

/// Each slot brings its own life: jittered, and shorter for absence.
struct Life;

impl<V> Expiry<String, Slot<V>> for Life {
    fn expire_after_create(&self, _: &String, slot: &Slot<V>, _: Instant) -> Option<Duration> {
        Some(slot.life)
    }

    fn expire_after_update(&self, _: &String, slot: &Slot<V>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(slot.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Heavy {
        version: u64,
    }

    impl Entry for Heavy {
        fn version(&self) -> u64 {
            self.version
        }

        fn encode(&self) -> Vec<u8> {
            Vec::new()
        }

        fn decode(_: &[u8]) -> Option<Self> {
            None
        }

        fn weight(&self) -> u32 {
            1_000
        }
    }

    const LIFE: Duration = Duration::from_secs(600);

    fn tier(policy: &Policy) -> FirstTier<Heavy> {
        FirstTier::new(policy, Arc::new(Instruments::new("test")))
    }

    fn fill(tier: &FirstTier<Heavy>, key: &str, version: u64) -> bool {
        tier.fill(key, Known::Value(Arc::new(Heavy { version })), LIFE, tier.ticket(key))
    }

    fn version(tier: &FirstTier<Heavy>, key: &str) -> Option<u64> {
        tier.get(key).map(|known| known.version())
    }

    #[test]
    fn weight_is_bounded_under_either_eviction() {
        for l1_eviction in [Eviction::LeastFrequentlyUsed, Eviction::LeastRecentlyUsed] {
            let tier = tier(&Policy { l1_bytes: 100_000, l1_eviction, ..Policy::new("test") });
            for number in 0..2_000 {
                fill(&tier, &number.to_string(), 1);
            }
            tier.settle();
            let (entries, bytes) = tier.size();
            assert!(
                (50..=100).contains(&entries) && bytes <= 100_000,
                "{l1_eviction:?}: {entries} entries, {bytes} bytes"
            );
        }
    }

    #[test]
    fn older_version_is_refused_and_newer_taken() {
        let tier = tier(&Policy::new("test"));
        assert!(fill(&tier, "a", 2));
        assert!(!fill(&tier, "a", 1));
        assert_eq!(version(&tier, "a"), Some(2));
        assert!(fill(&tier, "a", 3));
        assert_eq!(version(&tier, "a"), Some(3));
    }

    #[test]
    fn ticket_from_before_a_write_is_refused() {
        let tier = tier(&Policy::new("test"));
        let ticket = tier.ticket("a");
        tier.forget("a", 2, Removal::Local);
        assert!(!tier.fill("a", Known::Absent, LIFE, ticket));
        assert_eq!(version(&tier, "a"), None);
        assert!(fill(&tier, "a", 2));
        tier.forget("a", 2, Removal::Local);
        assert_eq!(version(&tier, "a"), Some(2), "as new as the write");
        tier.forget("a", 3, Removal::Local);
        assert_eq!(version(&tier, "a"), None);
    }

    #[test]
    fn dropped_tier_is_empty_at_once_and_refuses_what_was_on_its_way() {
        let tier = tier(&Policy::new("test"));
        fill(&tier, "a", 9);
        let ticket = tier.ticket("b");
        tier.forget_all();
        assert_eq!(version(&tier, "a"), None);
        assert!(!tier.fill("b", Known::Absent, LIFE, ticket));
        assert!(fill(&tier, "a", 1), "what was dropped holds nobody back");
        assert_eq!(version(&tier, "a"), Some(1));
    }
}
