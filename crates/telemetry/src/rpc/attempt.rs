use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::call::finish;
use crate::names::{attribute, span};

/// A CLIENT span for one try of a call, child of the current span.
///
/// `method` is the full method without a leading slash, `upstream` its name and not an address,
/// `replica` an ordinal, `policy` the balancer's choice, `attempt` counts from 1.
pub fn attempt_span(method: &str, upstream: &str, replica: &str, policy: &'static str, attempt: u32) -> Span {
    let client = tracing::info_span!(span::RPC_CLIENT, otel.kind = "client");
    let context = client.context();
    let otel = context.span();
    // Strings are copied for spans that somebody will see, and for no others.
    if otel.is_recording() {
        otel.update_name(method.to_owned());
        otel.set_attributes([
            KeyValue::new(attribute::RPC_SYSTEM_NAME, "grpc"),
            KeyValue::new(attribute::RPC_METHOD, method.to_owned()),
            KeyValue::new(attribute::SERVER_ADDRESS, upstream.to_owned()),
            KeyValue::new(attribute::REPLICA, replica.to_owned()),
            KeyValue::new(attribute::POLICY, policy),
            KeyValue::new(attribute::ATTEMPT, i64::from(attempt)),
        ]);
    }
    client
}

/// Says how the try ended. For a client every status but OK is an error (RPC conventions).
pub fn end_attempt(span: &Span, code: Code) {
    finish(span, code, code != Code::Ok);
}
