use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use http::HeaderMap;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::method::{Method, OTHER};
use super::{is_server_error, status_text};
use crate::names::{self, attribute, label};
use crate::{metrics, propagation};

/// Longest unknown method name that a span keeps; the caller chooses it.
const ORIGINAL_METHOD_BYTES: usize = 128;

static IN_FLIGHT: AtomicI64 = AtomicI64::new(0);

struct Instruments {
    calls: Counter<u64>,
    errors: Counter<u64>,
    duration: Histogram<f64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    #[allow(clippy::cast_precision_loss, reason = "calls in flight stay far below 2^53")]
    metrics::observe_gauge(&names::RPC_SERVER_IN_FLIGHT, |gauge| {
        gauge.observe(IN_FLIGHT.load(Ordering::Relaxed) as f64, &[]);
    });
    Instruments {
        calls: metrics::counter(&names::RPC_SERVER_CALLS),
        errors: metrics::counter(&names::RPC_SERVER_ERRORS),
        duration: metrics::histogram(&names::RPC_SERVER_DURATION),
    }
});

/// One call from its headers to its end, whichever way it ends.
///
/// Everything is counted on drop. A caller that goes away drops the call before its status is known,
/// so what has not been set by then is a cancellation.
#[derive(Debug)]
pub(super) struct Call {
    span: Span,
    context: Context,
    method: &'static Method,
    started: Instant,
    code: Option<Code>,
    /// Whether a code that servers fail with is our failure.
    is_ours: bool,
}

impl Call {
    pub(super) fn begin(method: &'static Method, path: &str, headers: &HeaderMap) -> Self {
        LazyLock::force(&INSTRUMENTS);
        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
        // No fields here: as fields, each value would be copied into a string of its own.
        let span = tracing::info_span!(names::span::RPC_SERVER, otel.kind = "server");
        // The parent must be known before anything asks for the span's context, which fixes it.
        let _ = span.set_parent(propagation::extract(headers));
        let context = span.context();
        describe(&context, method, path);
        Self { span, context, method, started: Instant::now(), code: None, is_ours: true }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn end(mut self, code: Code) {
        self.code = Some(code);
    }

    /// The same, by a fault that may be the caller's.
    pub(super) fn end_by(mut self, code: Code, is_ours: bool) {
        self.is_ours = is_ours;
        self.end(code);
    }

    fn has_failed(&self, code: Code) -> bool {
        self.is_ours && is_server_error(code)
    }

    fn count(&self, code: Code) {
        let labels = match self.code {
            None => &self.method.cancelled,
            Some(code) if self.has_failed(code) => &self.method.error,
            Some(_) => &self.method.ok,
        };
        INSTRUMENTS.calls.add(1, labels);
        INSTRUMENTS.duration.record(self.started.elapsed().as_secs_f64(), &self.method.labels);
        if code != Code::Ok {
            let [method] = &self.method.labels;
            INSTRUMENTS.errors.add(1, &[method.clone(), KeyValue::new(label::CODE, status_text(code))]);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
        let code = self.code.unwrap_or(Code::Cancelled);
        self.count(code);
        finish(&self.context, code, self.has_failed(code));
    }
}

/// Writes name and attributes straight into the span: one lookup for all, and static strings stay static.
fn describe(context: &Context, method: &'static Method, path: &str) {
    let span = context.span();
    if !span.is_recording() {
        return;
    }
    span.update_name(method.name);
    span.set_attributes([
        KeyValue::new(attribute::RPC_SYSTEM_NAME, "grpc"),
        KeyValue::new(attribute::RPC_METHOD, method.name),
    ]);
    if method.name == OTHER {
        let end = path.floor_char_boundary(ORIGINAL_METHOD_BYTES);
        span.set_attribute(KeyValue::new(attribute::RPC_METHOD_ORIGINAL, path[..end].to_owned()));
    }
}

/// Writes how a call ended into its span.
pub(super) fn finish(context: &Context, code: Code, failed: bool) {
    let span = context.span();
    if !span.is_recording() {
        return;
    }
    let text = status_text(code);
    span.set_attribute(KeyValue::new(attribute::RPC_STATUS_CODE, text));
    if failed {
        span.set_attribute(KeyValue::new(attribute::ERROR_TYPE, text));
        // The message stays out: it may quote what the caller sent.
        span.set_status(Status::error(""));
    }
}
