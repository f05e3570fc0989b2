//! Logs and spans under one `tracing` subscriber, each with a filter of its own.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::logs::JsonLayer;

/// Builds the subscriber. `RUST_LOG` filters what is logged; it never costs a trace its spans.
pub(crate) fn subscriber(
    logs: JsonLayer,
    filter: Targets,
    provider: &SdkTracerProvider,
) -> impl Subscriber + Send + Sync {
    Registry::default()
        .with(spans(provider.tracer("bellwether")).with_filter(LevelFilter::INFO))
        .with(logs.with_filter(LogFilter { events: filter }))
}

fn spans<S>(tracer: SdkTracer) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Every attribute costs time on every span: only what somebody will look for is recorded.
    // Without activation a span is not pushed and popped on each poll; parents come from `tracing` itself.
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
}

/// Events by `RUST_LOG`, spans always: a warning carries its trace id even where only warnings are logged.
struct LogFilter {
    events: Targets,
}

impl LogFilter {
    fn lets_pass(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            *metadata.level() <= LevelFilter::INFO
        } else {
            self.events.would_enable(metadata.target(), metadata.level())
        }
    }
}

impl<S> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.lets_pass(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.lets_pass(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let events = self.events.default_level().into_iter().chain(self.events.iter().map(|(_, level)| level)).max();
        events.max(Some(LevelFilter::INFO))
    }
}
