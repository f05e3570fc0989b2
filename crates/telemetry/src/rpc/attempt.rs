use http::HeaderMap;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::call::finish;
use crate::names::{attribute, span};
use crate::propagation;

/// A CLIENT span for one try of a call. It ends when this is dropped.
#[derive(Debug)]
pub struct Attempt {
    // Held for its end only: what is written goes through the context, which is looked up once.
    _span: Span,
    context: Context,
}

impl Attempt {
    /// A child of the current span.
    ///
    /// `method` is the full method without a leading slash, `upstream` its name and not an address,
    /// `replica` an ordinal, `policy` the balancer's choice, `number` counts from 1.
    pub fn begin(method: &str, upstream: &str, replica: &str, policy: &'static str, number: u32) -> Self {
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
                KeyValue::new(attribute::ATTEMPT, i64::from(number)),
            ]);
        }
        Self { _span: client, context }
    }

    /// Lets the endpoint's span become a child of this one.
    pub fn inject(&self, headers: &mut HeaderMap) {
        propagation::inject(&self.context, headers);
    }

    /// Says how the try ended. For a client every status but OK is an error (RPC conventions).
    pub fn end(&self, code: Code) {
        finish(&self.context, code, code != Code::Ok);
    }
}
