//! Instruments and their exposition for Prometheus.
//!
//! The provider is made when the first instrument asks for it, not when [`start`](crate::start) runs:
//! an instrument that is built before the start would otherwise count into nothing for ever.

mod owners;

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider, ObservableCounter, ObservableGauge};
use opentelemetry::{KeyValue, metrics::AsyncInstrument};
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

pub use self::owners::Owners;
use crate::names::Metric;

/// Sets of labels that one metric may have; the SDK sets memory aside for all of them at once. What is counted
/// or timed beyond them is counted together under `otel_metric_overflow`; for what a scrape asks, that is no figure at all.
pub const MAX_SERIES: usize = 500;

struct Exposition {
    registry: Registry,
    provider: SdkMeterProvider,
}

static EXPOSITION: LazyLock<Exposition> = LazyLock::new(|| {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .without_target_info()
        .scope_info_enabled(false)
        .build();
    let provider = match exporter {
        Ok(reader) => SdkMeterProvider::builder().with_reader(reader).with_view(bounded).build(),
        // A fresh registry refuses no collector. If one ever did, the process would run without metrics.
        Err(error) => {
            tracing::error!(%error, "metrics are off");
            SdkMeterProvider::builder().build()
        }
    };
    Exposition { registry, provider }
});

fn bounded(_: &Instrument) -> Option<Stream> {
    Stream::builder().with_cardinality_limit(MAX_SERIES).build().ok()
}

fn meter() -> Meter {
    EXPOSITION.provider.meter("bellwether")
}

/// The process-wide registry in Prometheus' text format, for an admin port.
pub fn metrics_text() -> String {
    TextEncoder::new().encode_to_string(&EXPOSITION.registry.gather()).unwrap_or_default()
}

/// A counter under the metric's name. Build it once and keep it: building takes a lock.
pub fn counter(metric: &Metric) -> Counter<u64> {
    meter().u64_counter(metric.name).with_description(metric.help).with_unit(metric.unit).build()
}

/// A histogram with the metric's own buckets.
pub fn histogram(metric: &Metric) -> Histogram<f64> {
    meter()
        .f64_histogram(metric.name)
        .with_description(metric.help)
        .with_unit(metric.unit)
        .with_boundaries(metric.buckets.to_vec())
        .build()
}

/// A gauge whose value is asked for at each scrape. It observes as long as the process lives.
pub fn observe_gauge(
    metric: &Metric,
    observe: impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static,
) -> ObservableGauge<f64> {
    let meter = meter();
    let builder = meter.f64_observable_gauge(metric.name).with_description(metric.help).with_unit(metric.unit);
    builder.with_callback(observe).build()
}

/// A counter whose total is kept elsewhere and asked for at each scrape.
pub fn observe_counter(
    metric: &Metric,
    observe: impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static,
) -> ObservableCounter<f64> {
    let meter = meter();
    let builder = meter.f64_observable_counter(metric.name).with_description(metric.help).with_unit(metric.unit);
    builder.with_callback(observe).build()
}

/// A label with a value that lives as long as the process, which costs no allocation.
pub fn label(key: &'static str, value: &'static str) -> KeyValue {
    KeyValue::new(key, value)
}
