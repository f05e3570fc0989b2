//! Instruments of operations. Names, labels and buckets stand in `crm_telemetry::names`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use crm_telemetry::metrics::Owners;
use crm_telemetry::{metrics, names};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use super::registry::Shared;

static ENDED: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::OPERATIONS_ENDED));
static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| metrics::histogram(&names::OPERATION_DURATION));
static REGISTRIES: Owners<Shared> = Owners::new(register);

pub(super) fn count_end(kind: &str, outcome: &'static str, seconds: f64) {
    let kind = || KeyValue::new(names::label::KIND, kind.to_owned());
    ENDED.add(1, &[kind(), metrics::label(names::label::OUTCOME, outcome)]);
    DURATION.record(seconds, &[kind()]);
}

/// Lets each scrape ask how many there are.
pub(super) fn observe(shared: &Arc<Shared>) {
    REGISTRIES.add(Arc::downgrade(shared));
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn register() {
    metrics::observe_gauge(&names::OPERATIONS_RUNNING, |gauge| {
        let running = REGISTRIES.living().iter().map(|shared| shared.running.load(Ordering::Relaxed)).sum::<usize>();
        gauge.observe(running as f64, &[]);
    });
    metrics::observe_gauge(&names::OPERATIONS_WAITING, |gauge| {
        let waiting = REGISTRIES.living().iter().map(|shared| shared.waiting.load(Ordering::Relaxed)).sum::<u64>();
        gauge.observe(waiting as f64, &[]);
    });
}
