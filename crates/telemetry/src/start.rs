//! Start and orderly end of a process's telemetry.

use std::panic;
use std::time::Duration;

use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanExporter as _};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::export::BatchProcessor;
use crate::logs::{self, JsonLayer};
use crate::settings::{Settings, Warning};
use crate::{metrics, process, subscriber};

/// How long the last spans may take to reach the collector when the process ends.
const FLUSH_SECONDS: u64 = 2;
/// Longest panic message that is logged.
const PANIC_MESSAGE_BYTES: usize = 200;

/// Why telemetry could not be started.
#[derive(Debug, Error)]
pub enum StartError {
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
/// What is not done of what the variables say is logged, one line each; none of them is an error.
/// Must run inside a Tokio runtime if spans are to be exported.
pub fn start(service: &'static str) -> Result<Telemetry, StartError> {
    let mut settings = Settings::from_env(service);
    let provider = provider(&mut settings);
    let logs = JsonLayer::new(settings.service, settings.replica, logs::stderr());
    tracing::subscriber::set_global_default(subscriber::subscriber(logs, settings.filter, &provider))
        .map_err(|_| StartError::AlreadyStarted)?;
    settings.propagation.choose();
    log_panics();
    process::register();
    for Warning { variable, value, instead } in settings.warnings {
        tracing::warn!(variable, value, "a variable is not followed: {instead}");
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

fn provider(settings: &mut Settings) -> SdkTracerProvider {
    let builder = SdkTracerProvider::builder().with_resource(settings.resource.clone());
    let builder = settings.limits.apply(builder);
    match processor(settings) {
        Some(processor) => builder.with_sampler(settings.sampler.clone()).with_span_processor(processor).build(),
        // Ids are still made, so that logs of one call can be found; nothing is recorded for nobody.
        None => builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).build(),
    }
}

/// What spans end in; `None` if they are not exported, or cannot be, which is told.
fn processor(settings: &mut Settings) -> Option<BatchProcessor> {
    let collector = settings.collector.take()?;
    let exporter = collector.exporter().map_err(|error| error.to_string());
    let ready = exporter.and_then(|exporter| Ok((exporter, Handle::try_current().map_err(|error| error.to_string())?)));
    match ready {
        Ok((mut exporter, runtime)) => {
            exporter.set_resource(&settings.resource);
            Some(BatchProcessor::new(exporter, settings.batching, &runtime))
        }
        Err(error) => {
            let (variable, value) = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), String::new());
            let instead = format!("no spans are exported: {error}");
            settings.warnings.push(Warning { variable, value, instead });
            None
        }
    }
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
