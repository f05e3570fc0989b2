//! The span of one step of an operation, whose caller has long been answered.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::names::{attribute, span};

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
        if let Some(asked_by) = asked_by {
            let carrier = HashMap::from([("traceparent".to_owned(), asked_by.to_owned())]);
            let caller = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
            let caller = caller.span().span_context().clone();
            if caller.is_valid() {
                otel.add_link(caller, Vec::new());
            }
        }
    }
    step
}
