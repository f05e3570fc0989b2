//! The way from an answer to its trace.

use http::{HeaderMap, HeaderValue, Method};
use opentelemetry::{
    KeyValue,
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crm_telemetry::names::attribute;

/// What a person pastes into the trace viewer.
const TRACE_ID: &str = "x-trace-id";
/// The same for programs (W3C Trace Context Level 2, `traceresponse`).
const TRACE_RESPONSE: &str = "traceresponse";

/// Tells the caller of the current span's trace, if it is recorded: one that is not could not be found anyway.
pub(crate) fn stamp(headers: &mut HeaderMap) {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() && span.is_sampled() {
        insert(headers, TRACE_ID, span.trace_id().to_string());
        insert(headers, TRACE_RESPONSE, trace_response(span));
    }
}

fn trace_response(span: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Notes on the current span that the call came in over REST, and by which route.
pub(crate) fn note_rest(method: &Method, route: &str) {
    let context = Span::current().context();
    let span = context.span();
    if span.is_recording() {
        span.set_attributes([
            KeyValue::new(attribute::HTTP_REQUEST_METHOD, method.as_str().to_owned()),
            KeyValue::new(attribute::HTTP_ROUTE, route.to_owned()),
        ]);
    }
}

/// Notes on the current span what HTTP status the caller was given.
pub(crate) fn note_status(status: http::StatusCode) {
    let context = Span::current().context();
    context.span().set_attribute(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16())));
}
