//! The span of a batch of another service's changes, which many calls have made.

use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::names::{attribute, span};
use crate::propagation::linked;

/// Links of one span: enough to find the writers of a batch, and a page that can still be read.
pub const MOST_LINKS: usize = 32;

/// A CONSUMER span for one batch, the first of its trace: the calls that made the changes are many, and have ended.
#[derive(Debug)]
pub struct BatchSpan {
    span: Span,
    context: Context,
}

impl BatchSpan {
    /// Of a follower of this service. It ends when this is dropped.
    pub fn begin(follower: &'static str, source: &'static str) -> Self {
        let span = tracing::info_span!(parent: None, span::FOLLOWER_BATCH, otel.kind = "consumer");
        let context = span.context();
        let otel = context.span();
        if otel.is_recording() {
            otel.set_attributes([
                KeyValue::new(attribute::FOLLOWER, follower),
                KeyValue::new(attribute::FOLLOWER_SOURCE, source),
            ]);
        }
        Self { span, context }
    }

    /// What the work on the batch runs in.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Says how many changes there are, and links to the spans of those who made them: the first few that differ.
    pub fn found<'a>(&self, changes: usize, traceparents: impl Iterator<Item = &'a str>) {
        let otel = self.context.span();
        if !otel.is_recording() {
            return;
        }
        otel.set_attribute(KeyValue::new(attribute::FOLLOWER_CHANGES, i64::try_from(changes).unwrap_or(i64::MAX)));
        let mut writers: Vec<&str> = Vec::new();
        for traceparent in traceparents {
            if writers.len() == MOST_LINKS {
                break;
            }
            if !writers.contains(&traceparent) {
                writers.push(traceparent);
            }
        }
        for writer in writers.into_iter().filter_map(linked) {
            otel.add_link(writer, Vec::new());
        }
    }

    /// Says what became of it.
    pub fn end(self, outcome: &'static str, has_failed: bool) {
        let otel = self.context.span();
        otel.set_attribute(KeyValue::new(attribute::FOLLOWER_OUTCOME, outcome));
        if has_failed {
            otel.set_attribute(KeyValue::new(attribute::ERROR_TYPE, outcome));
            otel.set_status(Status::error(outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attribute as text, record};

    #[test]
    fn a_batch_links_to_each_writer_once_and_to_so_many_at_most() {
        let (recorder, _guard) = record();
        let other = tracing::info_span!("other");
        let inside = other.enter();
        let batch = BatchSpan::begin("names", "customers");
        let writers: Vec<String> = (1..=40).map(|nth| format!("00-{:032x}-{nth:016x}-01", nth % 8 + 1)).collect();
        let known = ["", "of no trace", writers[0].as_str(), writers[0].as_str()];
        batch.found(42, known.into_iter().chain(writers.iter().map(String::as_str)));
        batch.end("failed", true);
        drop(inside);
        let spans = recorder.spans_named("follower.batch");
        let [span] = &spans[..] else { panic!("{spans:?}") };
        let links: Vec<String> = span.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
        // Two of those that differ are no spans.
        let expected: Vec<String> = (1..=MOST_LINKS - 2).map(|nth| format!("{nth:016x}")).collect();
        assert_eq!(links, expected);
        assert_eq!(span.links[0].span_context.trace_id().to_string(), format!("{:032x}", 2));
        assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
        let told =
            ["crm.follower", "crm.follower.source", "crm.follower.changes", "crm.follower.outcome", "error.type"]
                .map(|key| text(span, key).unwrap());
        assert_eq!(told, ["names", "customers", "42", "failed", "failed"]);
    }
}
