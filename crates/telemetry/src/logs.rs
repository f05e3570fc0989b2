//! One JSON object a line on stderr, with the ids of the trace that the line belongs to.
//!
//! Written here rather than taken from `tracing_subscriber::fmt`: that layer formats every span's fields
//! whether or not anything is ever logged in it, and knows no trace ids.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use opentelemetry::trace::{SpanContext, TraceContextExt};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::dispatcher::{Dispatch, WeakDispatch};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Where finished lines go.
pub(crate) type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The whole line in one write, so that lines of several threads do not mix.
pub(crate) fn stderr() -> Sink {
    Arc::new(|line| {
        // Nobody is left to tell when stderr itself is gone.
        let _ = io::stderr().lock().write_all(line);
    })
}

pub(crate) struct JsonLayer {
    service: String,
    replica: Option<String>,
    sink: Sink,
    dispatch: OnceLock<WeakDispatch>,
}

impl JsonLayer {
    pub(crate) fn new(service: String, replica: Option<String>, sink: Sink) -> Self {
        Self { service, replica, sink, dispatch: OnceLock::new() }
    }

    fn line(&self, event: &Event<'_>, trace: Option<&SpanContext>) -> Vec<u8> {
        let metadata = event.metadata();
        let mut object = Object::begin();
        object.text("timestamp", &OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default());
        object.text("level", metadata.level().as_str());
        object.text("service", &self.service);
        if let Some(replica) = &self.replica {
            object.text("replica", replica);
        }
        if let Some(trace) = trace {
            object.text("trace_id", &trace.trace_id().to_string());
            object.text("span_id", &trace.span_id().to_string());
        }
        object.text("target", metadata.target());
        event.record(&mut object);
        object.finish()
    }
}

impl<S> Layer<S> for JsonLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // Weak, because the dispatch owns this layer.
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let trace = context.event_span(event).and_then(|span| {
            let dispatch = self.dispatch.get()?.upgrade()?;
            let context = get_otel_context(&span.id(), &dispatch)?;
            let trace = context.span().span_context().clone();
            trace.is_valid().then_some(trace)
        });
        (self.sink)(&self.line(event, trace.as_ref()));
    }
}

/// A JSON object that is written field by field, in the order of the calls.
struct Object {
    bytes: Vec<u8>,
}

impl Object {
    fn begin() -> Self {
        Self { bytes: Vec::with_capacity(256) }
    }

    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        self.bytes.push(if self.bytes.is_empty() { b'{' } else { b',' });
        self.write(key);
        self.bytes.push(b':');
        &mut self.bytes
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.write(value);
    }

    fn write(&mut self, text: &str) {
        // Neither memory nor a string can refuse.
        let _ = serde_json::to_writer(&mut self.bytes, text);
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"}\n");
        self.bytes
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field.name(), &value.to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        let _ = write!(self.key(field.name()), "{value}");
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.key(field.name()), "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let _ = write!(self.key(field.name()), "{value}");
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinities: serde_json writes null for them.
        let _ = serde_json::to_writer(self.key(field.name()), &value);
    }
}
