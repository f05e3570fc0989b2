//! The span of one step of an operation, whose caller has long been answered.

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::names::{attribute, span};
use crate::propagation::linked;

/// A span that begins a trace. It links to the call that asked for the operation, by that one's
/// [`traceparent`](crate::propagation::traceparent).
pub fn step_span(kind: &str, id: &str, asked_by: Option<&str>) -> Span {
    let step = tracing::info_span!(parent: None, span::OPERATION_STEP);
    let context = step.context();
    let otel = context.span();
    if otel.is_recording() {
        otel.set_attributes([
            KeyValue::new(attribute::OPERATION_KIND, kind.to_owned()),
            KeyValue::new(attribute::OPERATION_ID, id.to_owned()),
        ]);
        if let Some(caller) = asked_by.and_then(linked) {
            otel.add_link(caller, Vec::new());
        }
    }
    step
}
