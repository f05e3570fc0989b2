//! Instruments of one cache. Names, labels and buckets stand in `crm_telemetry::names`.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Weak};
use std::time::Duration;

use crm_telemetry::metrics::{Owners, label};
use crm_telemetry::names::label as key;
use crm_telemetry::{metrics, names};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram};

/// Why an entry left the first tier.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Removal {
    Local,
    Remote,
    Reconnect,
    Evicted,
    Expired,
}

/// Where a key was looked up, and what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Hit,
    Negative,
    Miss,
}

/// How a load ended for one key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    Found,
    Absent,
    Error,
    Shared,
}

struct Shared {
    lookups: Counter<u64>,
    loads: Counter<u64>,
    load_duration: Histogram<f64>,
    removals: Counter<u64>,
    refused: Counter<u64>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| Shared {
    lookups: metrics::counter(&names::CACHE_LOOKUPS),
    loads: metrics::counter(&names::CACHE_LOADS),
    load_duration: metrics::histogram(&names::CACHE_LOAD_DURATION),
    removals: metrics::counter(&names::CACHE_REMOVALS),
    refused: metrics::counter(&names::CACHE_REFUSED_FILLS),
});

/// Instruments with the cache's own labels, made once.
#[derive(Debug)]
pub(crate) struct Instruments {
    cache: [KeyValue; 1],
    /// By tier, then by what was found.
    lookups: [[[KeyValue; 3]; 3]; 2],
}

impl Found {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Negative => "negative",
            Self::Miss => "miss",
        }
    }
}

impl Instruments {
    pub(crate) fn new(cache: &'static str) -> Self {
        let lookups = ["l1", "l2"].map(|tier| {
            [Found::Hit, Found::Negative, Found::Miss]
                .map(|found| [label(key::CACHE, cache), label(key::TIER, tier), label(key::OUTCOME, found.name())])
        });
        Self { cache: [label(key::CACHE, cache)], lookups }
    }

    pub(crate) fn count_l1(&self, found: Found) {
        let [tier, _] = &self.lookups;
        count(tier, found);
    }

    pub(crate) fn count_l2(&self, found: Found) {
        let [_, tier] = &self.lookups;
        count(tier, found);
    }

    pub(crate) fn count_loads(&self, load: Load, keys: usize) {
        let outcome = match load {
            Load::Found => "found",
            Load::Absent => "absent",
            Load::Error => "error",
            Load::Shared => "shared",
        };
        self.add(&SHARED.loads, label(key::OUTCOME, outcome), u64::try_from(keys).unwrap_or(u64::MAX));
    }

    pub(crate) fn record_load(&self, took: Duration) {
        SHARED.load_duration.record(took.as_secs_f64(), &self.cache);
    }

    pub(crate) fn count_removals(&self, removal: Removal, entries: u64) {
        let reason = match removal {
            Removal::Local => "local",
            Removal::Remote => "remote",
            Removal::Reconnect => "reconnect",
            Removal::Evicted => "evicted",
            Removal::Expired => "expired",
        };
        self.add(&SHARED.removals, label(key::REASON, reason), entries);
    }

    pub(crate) fn count_refused_l1(&self) {
        self.add(&SHARED.refused, label(key::TIER, "l1"), 1);
    }

    pub(crate) fn count_refused_l2(&self, fills: u64) {
        self.add(&SHARED.refused, label(key::TIER, "l2"), fills);
    }

    fn add(&self, counter: &Counter<u64>, other: KeyValue, count: u64) {
        let [cache] = &self.cache;
        counter.add(count, &[cache.clone(), other]);
    }
}

fn count(tier: &[[KeyValue; 3]; 3], found: Found) {
    let [hit, negative, miss] = tier;
    let labels = match found {
        Found::Hit => hit,
        Found::Negative => negative,
        Found::Miss => miss,
    };
    SHARED.lookups.add(1, labels);
}

/// The first tier of one of the process's caches.
pub(crate) trait Tier: Send + Sync + 'static {
    /// Its cache's name.
    fn name(&self) -> &'static str;
    fn entries_and_bytes(&self) -> (u64, u64);
}

static TIERS: Owners<dyn Tier> = Owners::new(|| {
    metrics::observe_gauge(&names::CACHE_ENTRIES, |gauge| observe(gauge, |(entries, _)| entries));
    metrics::observe_gauge(&names::CACHE_BYTES, |gauge| observe(gauge, |(_, bytes)| bytes));
});

/// Lets each scrape ask how full the first tier is, as long as it lives; of several of one name it sees the sum.
pub(crate) fn observe_size(tier: Weak<dyn Tier>) {
    TIERS.add(tier);
}

#[allow(clippy::cast_precision_loss, reason = "entries and bytes stay far below 2^53")]
fn observe(gauge: &dyn AsyncInstrument<f64>, of: fn((u64, u64)) -> u64) {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    for tier in TIERS.living() {
        *sums.entry(tier.name()).or_default() += of(tier.entries_and_bytes());
    }
    for (cache, sum) in sums {
        gauge.observe(sum as f64, &[label(key::CACHE, cache)]);
    }
}
