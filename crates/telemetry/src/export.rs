//! Finished spans on their way to the collector: a bounded queue whose losses are counted.
//!
//! The SDK's batch processor drops silently when its queue is full. A gate in front of it knows the
//! queue's length exactly, so that every span that is lost is in `crm_telemetry_spans_dropped_total`.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::metrics::Counter;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use crate::{metrics, names};

/// Room for about a second of spans at 2,000 calls a second.
const DEFAULT_QUEUE: usize = 8192;
/// A trace is visible this long after its last span at the latest, plus the way to the collector.
const DEFAULT_DELAY: Duration = Duration::from_millis(200);

/// Batches spans for `exporter`; `OTEL_BSP_*` override queue and delay.
pub(crate) fn batching<E>(exporter: E) -> impl SpanProcessor
where
    E: SpanExporter + 'static,
{
    let capacity = queue_size();
    let queue = Arc::new(Queue::new(capacity));
    observe_length(&queue);
    let mut config = BatchConfigBuilder::default().with_max_queue_size(capacity);
    if env::var_os("OTEL_BSP_SCHEDULE_DELAY").is_none() {
        config = config.with_scheduled_delay(DEFAULT_DELAY);
    }
    let counting = CountingExporter { inner: exporter, queue: Arc::clone(&queue) };
    let inner = BatchSpanProcessor::builder(counting).with_batch_config(config.build()).build();
    Gate { inner, queue }
}

fn observe_length(queue: &Arc<Queue>) {
    let queue = Arc::clone(queue);
    metrics::observe_gauge(&names::SPANS_QUEUED, move |gauge| {
        #[allow(clippy::cast_precision_loss, reason = "a queue's length stays far below 2^53")]
        gauge.observe(queue.length.load(Ordering::Relaxed) as f64, &[]);
    });
}

fn queue_size() -> usize {
    let wanted = env::var("OTEL_BSP_MAX_QUEUE_SIZE").ok().and_then(|value| value.parse().ok());
    wanted.filter(|size| *size > 0).unwrap_or(DEFAULT_QUEUE)
}

#[derive(Debug)]
struct Queue {
    capacity: usize,
    length: AtomicUsize,
    failing: AtomicBool,
    dropped: Counter<u64>,
    exported: Counter<u64>,
}

impl Queue {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            length: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
            dropped: metrics::counter(&names::SPANS_DROPPED),
            exported: metrics::counter(&names::SPANS_EXPORTED),
        }
    }

    fn enter(&self) -> bool {
        let entered = self.length.fetch_add(1, Ordering::Relaxed) < self.capacity;
        if !entered {
            self.length.fetch_sub(1, Ordering::Relaxed);
        }
        entered
    }

    fn lose(&self, spans: usize, reason: &'static str) {
        self.dropped.add(spans as u64, &[KeyValue::new(names::label::REASON, reason)]);
    }

    /// One line when the collector goes away and one when it is back, however many batches fail between.
    fn note(&self, result: &OTelSdkResult) {
        let failed = result.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) == failed {
            return;
        }
        match result {
            Ok(()) => tracing::info!("the trace collector answers again"),
            Err(error) => tracing::warn!(%error, "spans cannot be exported, they are dropped until this ends"),
        }
    }
}

#[derive(Debug)]
struct Gate<P> {
    inner: P,
    queue: Arc<Queue>,
}

impl<P: SpanProcessor> SpanProcessor for Gate<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.queue.enter() {
            self.inner.on_end(span);
        } else {
            self.queue.lose(1, "queue_full");
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[derive(Debug)]
struct CountingExporter<E> {
    inner: E,
    queue: Arc<Queue>,
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        // They have left the processor's channel: there is room for as many now.
        self.queue.length.fetch_sub(spans, Ordering::Relaxed);
        let result = self.inner.export(batch).await;
        match result {
            Ok(()) => self.queue.exported.add(spans as u64, &[]),
            Err(_) => self.queue.lose(spans, "export_failed"),
        }
        self.queue.note(&result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
