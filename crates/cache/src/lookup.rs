//! The span around one lookup, whatever it has to do.

use crm_telemetry::names::attribute;
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::metrics::Found;

/// Who answered, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    L1(Found),
    L2(Found),
    /// Another caller's load.
    Shared,
    /// The caller's own load.
    Loaded,
    /// The caller's own load, which failed.
    Failed,
}

impl Answer {
    fn tier(self) -> &'static str {
        match self {
            Self::L1(_) => "l1",
            Self::L2(_) => "l2",
            Self::Shared | Self::Loaded | Self::Failed => "none",
        }
    }

    fn outcome(self) -> &'static str {
        match self {
            Self::L1(found) | Self::L2(found) => found.name(),
            Self::Shared => "shared",
            Self::Loaded | Self::Failed => "miss",
        }
    }
}

/// A span for one key.
pub(crate) fn span() -> Span {
    // No fields here: they would be copied whether or not the span is sampled.
    tracing::info_span!(crm_telemetry::names::span::CACHE_GET)
}

/// A span for several keys.
pub(crate) fn span_of_many() -> Span {
    tracing::info_span!(crm_telemetry::names::span::CACHE_GET_MANY)
}

/// Writes what was found into the span. Keys are left out: they may be names or addresses.
pub(crate) fn describe(span: &Span, cache: &'static str, answer: Answer) {
    let context = span.context();
    let otel = context.span();
    if otel.is_recording() {
        otel.set_attributes([
            KeyValue::new(attribute::CACHE_NAME, cache),
            KeyValue::new(attribute::CACHE_TIER, answer.tier()),
            KeyValue::new(attribute::CACHE_OUTCOME, answer.outcome()),
        ]);
    }
}

/// As [`describe`], with the farthest that any of the keys had to go.
pub(crate) fn describe_many(span: &Span, cache: &'static str, keys: usize, answer: Answer) {
    describe(span, cache, answer);
    let keys = i64::try_from(keys).unwrap_or(i64::MAX);
    span.context().span().set_attribute(KeyValue::new(attribute::CACHE_KEYS, keys));
}
