//! Start and orderly end of a process's telemetry.

use std::panic;
use std::time::Duration;

use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanExporter as _};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::export::{BatchProcessor, Batching};
use crate::logs::{self, JsonLayer};
use crate::settings::Settings;
use crate::{metrics, process, subscriber};

/// How long the last spans may take to reach the collector when the process ends.
const FLUSH_SECONDS: u64 = 2;
/// Longest panic message that is logged.
const PANIC_MESSAGE_BYTES: usize = 200;

/// Why telemetry could not be started. The process can run without it.
#[derive(Debug, Error)]
pub enum StartError {
    /// `OTEL_EXPORTER_OTLP_*` cannot be used, or there is no Tokio runtime to export on.
    #[error("trace exporter: {0}")]
    Exporter(String),
    /// A `tracing` subscriber is installed already: this process has been started twice.
    #[error("telemetry has been started before in this process")]
    AlreadyStarted,
}

/// A running telemetry. Keep it until the process ends, then [`shutdown`](Self::shutdown).
#[derive(Debug)]
#[must_use = "the last spans are lost unless telemetry is shut down"]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// Starts logs, traces and metrics of this process, as `OTEL_*`, `RUST_LOG` and `CRM_REPLICA` say.
///
/// `service` is the role's name, `customers`; `OTEL_SERVICE_NAME` overrides it.
/// Must run inside a Tokio runtime if spans are to be exported.
pub fn start(service: &'static str) -> Result<Telemetry, StartError> {
    let settings = Settings::from_env(service);
    let provider = provider(&settings)?;
    let logs = JsonLayer::new(settings.service, settings.replica, logs::stderr());
    tracing::subscriber::set_global_default(subscriber::subscriber(logs, settings.filter, &provider))
        .map_err(|_| StartError::AlreadyStarted)?;
    log_panics();
    process::register();
    for warning in settings.warnings {
        tracing::warn!("{warning}");
    }
    Ok(Telemetry { provider })
}

impl Telemetry {
    /// All metrics in Prometheus' text format.
    pub fn render_metrics(&self) -> String {
        metrics::metrics_text()
    }

    /// Sends the last spans and ends; takes 2 seconds at most, whatever the collector does.
    pub async fn shutdown(self) {
        // The exporter needs the runtime's threads while this one waits: on a worker it would wait for itself.
        let flushed = spawn_blocking(move || self.provider.shutdown_with_timeout(Duration::from_secs(FLUSH_SECONDS)));
        if let Ok(Err(error)) = flushed.await {
            tracing::warn!(%error, "the last spans may be lost");
        }
    }
}

fn provider(settings: &Settings) -> Result<SdkTracerProvider, StartError> {
    let resource = resource(settings);
    let builder = SdkTracerProvider::builder().with_resource(resource.clone());
    if !settings.export {
        // Ids are still made, so that logs of one call can be found; nothing is recorded for nobody.
        return Ok(builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).build());
    }
    let runtime = Handle::try_current().map_err(|error| StartError::Exporter(error.to_string()))?;
    let processor = BatchProcessor::new(exporter(&resource)?, Batching::from_env(), &runtime);
    // The sampler comes from OTEL_TRACES_SAMPLER, which the SDK reads itself.
    Ok(builder.with_span_processor(processor).build())
}

fn exporter(resource: &Resource) -> Result<SpanExporter, StartError> {
    // One quick retry bridges a collector's restart; more would only fill the queue behind a dead one.
    let retry = RetryPolicy::recommended().with_max_retries(1);
    let builder = SpanExporter::builder().with_tonic().with_retry_policy(retry);
    let mut exporter = builder.build().map_err(|error| StartError::Exporter(error.to_string()))?;
    exporter.set_resource(resource);
    Ok(exporter)
}

fn resource(settings: &Settings) -> Resource {
    // The builder's detectors read OTEL_RESOURCE_ATTRIBUTES; what stands there is not overwritten.
    let detected = Resource::builder().build();
    let mut attributes = Vec::new();
    let mut offer = |key: &'static str, value: String| {
        if detected.get(&Key::new(key)).is_none() {
            attributes.push(KeyValue::new(key, value));
        }
    };
    offer("service.namespace", "bellwether".to_owned());
    offer("service.version", env!("CARGO_PKG_VERSION").to_owned());
    if let Some(replica) = &settings.replica {
        offer("service.instance.id", replica.clone());
    }
    attributes.push(KeyValue::new("service.name", service_name(&detected, settings)));
    Resource::builder().with_attributes(attributes).build()
}

fn service_name(detected: &Resource, settings: &Settings) -> String {
    let named = detected.get(&Key::new("service.name")).map(|value| value.to_string());
    named.filter(|name| !name.starts_with("unknown_service")).unwrap_or_else(|| settings.service.clone())
}

/// A panic as one log line with its place, instead of free text between JSON lines.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or_default();
        let end = message.floor_char_boundary(PANIC_MESSAGE_BYTES);
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic = &message[..end], place, "panicked");
    }));
}
