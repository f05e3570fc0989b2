//! W3C trace context and baggage, between HTTP headers and spans.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Injector, TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, trace::SpanContext};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::incoming::{BAGGAGE, Incoming, TRACE_PARENT, TRACE_STATE};
use crate::settings::environment::Environment;

static CHOSEN: OnceLock<Propagation> = OnceLock::new();
static PROPAGATOR: LazyLock<TextMapCompositePropagator> =
    LazyLock::new(|| CHOSEN.get().copied().unwrap_or(Propagation::ALL).propagator());

/// What is taken from a caller and passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Propagation {
    trace_context: bool,
    baggage: bool,
}

impl Propagation {
    pub(crate) const ALL: Self = Self { trace_context: true, baggage: true };

    /// As `OTEL_PROPAGATORS` says; what is not known here is told and passed over.
    pub(crate) fn read(env: &mut Environment) -> Self {
        const PROPAGATORS: &str = "OTEL_PROPAGATORS";
        let names = env.list(PROPAGATORS).unwrap_or_default();
        let is_named = |name: &str| names.iter().any(|named| named == name);
        for name in names.iter().filter(|name| !matches!(&***name, "tracecontext" | "baggage" | "none")) {
            env.refuse(PROPAGATORS, Some(name), "tracecontext and baggage are what is known here: it is left out");
        }
        let chosen = Self { trace_context: is_named("tracecontext"), baggage: is_named("baggage") };
        if chosen.trace_context || chosen.baggage || is_named("none") { chosen } else { Self::ALL }
    }

    /// For this process, from its first call on.
    pub(crate) fn choose(self) {
        // Started once: whoever comes second is refused anyway.
        let _ = CHOSEN.set(self);
    }

    fn propagator(self) -> TextMapCompositePropagator {
        let mut all: Vec<Box<dyn TextMapPropagator + Send + Sync>> = Vec::new();
        if self.trace_context {
            all.push(Box::new(TraceContextPropagator::new()));
        }
        if self.baggage {
            all.push(Box::new(BaggagePropagator::new()));
        }
        TextMapCompositePropagator::new(all)
    }
}

/// What the caller sent: its span as a remote parent, and its baggage. Malformed headers count as absent.
pub fn extract(headers: &HeaderMap) -> Context {
    // Not the current context: a request must not become a child of whatever runs on this thread.
    PROPAGATOR.extract_with_context(&Context::new(), &Incoming::new(headers))
}

/// Writes `traceparent`, `tracestate` and `baggage` of a span's context, replacing what stood there.
///
/// Without a started telemetry the headers stay as they are, so that a caller's context still passes through.
pub fn inject(context: &Context, headers: &mut HeaderMap) {
    if context.span().span_context().is_valid() {
        // A state that came without its parent, or does not count, must not go on beside another's.
        for name in [TRACE_PARENT, TRACE_STATE, BAGGAGE] {
            headers.remove(name);
        }
        PROPAGATOR.inject_context(context, &mut HeadersMut(headers));
    }
}

/// The span's trace id as 32 hexadecimal digits, to give to a person.
pub fn trace_id(span: &Span) -> Option<String> {
    span_context(span).map(|context| context.trace_id().to_string())
}

/// The span as a `traceparent`, for those who come later and link to it; none where its trace is not kept.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span_context(span).filter(SpanContext::is_sampled)?;
    Some(format!("00-{}-{}-01", context.trace_id(), context.span_id()))
}

/// The span that a [`traceparent`] names, to link to; none if it is no such text.
pub(crate) fn linked(traceparent: &str) -> Option<SpanContext> {
    let carrier = HashMap::from([(TRACE_PARENT.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let linked = context.span().span_context().clone();
    linked.is_valid().then_some(linked)
}

fn span_context(span: &Span) -> Option<SpanContext> {
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty tracestate is not worth a header.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
