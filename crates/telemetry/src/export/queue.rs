use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::Notify;

use crate::{metrics, names};

/// Finished spans that wait, and the counts of those that no longer do.
#[derive(Debug)]
pub(super) struct Queue {
    spans: Mutex<VecDeque<SpanData>>,
    capacity: usize,
    batch: usize,
    /// The queue is no longer empty.
    pub(super) begun: Notify,
    /// There is a whole batch: no need to wait for the delay.
    pub(super) filled: Notify,
    failing: AtomicBool,
    dropped: Counter<u64>,
    exported: Counter<u64>,
}

impl Queue {
    pub(super) fn new(capacity: usize, batch: usize) -> Self {
        Self {
            spans: Mutex::default(),
            capacity,
            batch,
            begun: Notify::new(),
            filled: Notify::new(),
            failing: AtomicBool::new(false),
            dropped: metrics::counter(&names::SPANS_DROPPED),
            exported: metrics::counter(&names::SPANS_EXPORTED),
        }
    }

    /// Takes a span in, or counts it as lost. Never waits for the collector.
    pub(super) fn push(&self, span: SpanData) {
        let mut spans = self.lock();
        if spans.len() >= self.capacity {
            drop(spans);
            return self.lose(1, "queue_full");
        }
        spans.push_back(span);
        let length = spans.len();
        drop(spans);
        if length == 1 {
            self.begun.notify_one();
        }
        if length == self.batch {
            self.filled.notify_one();
        }
    }

    /// The oldest spans, up to a batch of them; empty if there are none.
    pub(super) fn take(&self) -> Vec<SpanData> {
        let mut spans = self.lock();
        let count = spans.len().min(self.batch);
        let taken = spans.drain(..count).collect();
        if spans.is_empty() {
            // What a burst needed is given back after it.
            spans.shrink_to(self.batch);
        }
        taken
    }

    /// Counts what became of a batch, and tells once when the collector goes away and once when it is back.
    pub(super) fn note(&self, spans: usize, result: &OTelSdkResult) {
        match result {
            Ok(()) => self.exported.add(spans as u64, &[]),
            Err(_) => self.lose(spans, "export_failed"),
        }
        let failed = result.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) == failed {
            return;
        }
        match result {
            Ok(()) => tracing::info!("the trace collector answers again"),
            Err(error) => tracing::warn!(%error, "spans cannot be exported, they are dropped until this ends"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Counts what is left as lost, when nothing will be sent any more.
    pub(super) fn give_up(&self) {
        let left = std::mem::take(&mut *self.lock()).len();
        if left > 0 {
            self.lose(left, "export_failed");
        }
    }

    fn lose(&self, spans: usize, reason: &'static str) {
        self.dropped.add(spans as u64, &[KeyValue::new(names::label::REASON, reason)]);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SpanData>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the queue's length at each scrape.
pub(super) fn observe(queue: &Arc<Queue>) {
    let queue = Arc::clone(queue);
    metrics::observe_gauge(&names::SPANS_QUEUED, move |gauge| {
        #[allow(clippy::cast_precision_loss, reason = "a queue's length stays far below 2^53")]
        gauge.observe(queue.lock().len() as f64, &[]);
    });
}
