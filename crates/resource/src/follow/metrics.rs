//! Instruments of followers. Names and labels stand in `crm_telemetry::names`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crm_telemetry::metrics::{self, Owners, label};
use crm_telemetry::names::{self, label as key};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

use super::Follower;
use super::progress::Progress;

struct Instruments {
    batches: Counter<u64>,
    changes: Counter<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| Instruments {
    batches: metrics::counter(&names::FOLLOWER_BATCHES),
    changes: metrics::counter(&names::FOLLOWER_CHANGES),
});

pub(super) fn count_batch(follower: &Follower, outcome: &'static str) {
    let [name, source] = labels(follower.name, follower.source.name);
    INSTRUMENTS.batches.add(1, &[name, source, label(key::OUTCOME, outcome)]);
}

pub(super) fn count_changes(follower: &Follower, changes: usize) {
    let changes = u64::try_from(changes).unwrap_or(u64::MAX);
    INSTRUMENTS.changes.add(changes, &labels(follower.name, follower.source.name));
}

fn labels(name: &'static str, source: &'static str) -> [KeyValue; 2] {
    [label(key::FOLLOWER, name), label(key::SOURCE, source)]
}

static FOLLOWING: Owners<Progress> = Owners::new(register);

/// Lets each scrape ask how far behind it is, as long as it lives; of several of one name, the one that is farthest.
pub(super) fn observe(progress: &Arc<Progress>) {
    FOLLOWING.add(Arc::downgrade(progress));
}

fn register() {
    metrics::observe_gauge(&names::FOLLOWER_LAG, |gauge| {
        let mut lags: HashMap<_, f64> = HashMap::new();
        for progress in FOLLOWING.living() {
            let lag = lags.entry((progress.follower.name, progress.follower.source.name)).or_default();
            *lag = lag.max(progress.lag().as_secs_f64());
        }
        for ((name, source), lag) in lags {
            gauge.observe(lag, &labels(name, source));
        }
    });
}
