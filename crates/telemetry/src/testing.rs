//! Spans and log lines caught in memory, for the tests of this workspace.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SimpleSpanProcessor, SpanExporter};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;

pub use opentelemetry_sdk::trace::SpanData;

use crate::logs::JsonLayer;
use crate::subscriber;

/// More than the first use of a span takes, on a loaded machine, too.
const FIRST_USE: Duration = Duration::from_millis(100);

/// What has been recorded since [`record`].
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    spans: Arc<Mutex<Vec<SpanData>>>,
    lines: Arc<Mutex<Vec<u8>>>,
}

/// Somebody else who listens, to nothing.
static NOBODY: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));

/// Records every span and log line of this thread until the guard is dropped.
///
/// Use it in a test on a current-thread runtime: tasks on other threads are not seen.
pub fn record() -> (Recorder, DefaultGuard) {
    // With one listener in the whole process, a thread that has none and comes to a span first silences it for all.
    LazyLock::force(&NOBODY);
    let recorder = Recorder::default();
    let provider = SdkTracerProvider::builder().with_span_processor(SimpleSpanProcessor::new(recorder.clone())).build();
    let lines = Arc::clone(&recorder.lines);
    let sink = Arc::new(move |line: &[u8]| lock(&lines).extend_from_slice(line));
    let logs = JsonLayer::new("test".to_owned(), Some("0".to_owned()), sink);
    let filter = Targets::new().with_default(tracing::Level::INFO);
    let guard = tracing::subscriber::set_default(subscriber::subscriber(logs, filter, &provider));
    // Another test's thread may be amid the first use of a span: it asked who listens before this recorder was there, and
    // enters the span into tracing's list after the recorder looked. Nobody would then listen to that span for good.
    std::thread::sleep(FIRST_USE);
    tracing::callsite::rebuild_interest_cache();
    (recorder, guard)
}

impl Recorder {
    /// Spans that have ended, in the order of their ends.
    pub fn spans(&self) -> Vec<SpanData> {
        lock(&self.spans).clone()
    }

    /// The ended spans of one name.
    pub fn spans_named(&self, name: &str) -> Vec<SpanData> {
        self.spans().into_iter().filter(|span| span.name == name).collect()
    }

    /// Log lines as parsed JSON.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let lines = lock(&self.lines).clone();
        lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

/// One attribute of a span as text.
pub fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| attribute.value.to_string())
}

impl SpanExporter for Recorder {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        lock(&self.spans).extend(batch);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
