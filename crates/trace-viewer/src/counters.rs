//! What the viewer counts about itself, as Prometheus text.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::RwLock;

use crate::{refusal::Refusal, store::Store};

/// Counters since the start.
#[derive(Default)]
pub(crate) struct Counters {
    kept: AtomicU64,
    duplicates: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
}

impl Counters {
    pub(crate) fn kept(&self) {
        self.kept.fetch_add(1, Relaxed);
    }

    pub(crate) fn duplicate(&self) {
        self.duplicates.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        for (counter, _) in self.refused.iter().zip(Refusal::ALL).filter(|(_, known)| *known == refusal) {
            counter.fetch_add(1, Relaxed);
        }
    }
}

/// Renders counters and the store's size in Prometheus' text format.
pub(crate) fn render(counters: &Counters, store: &RwLock<Store>) -> String {
    let (usage, evicted, traces) = {
        let store = store.read();
        (store.usage(), store.evicted(), store.traces().len())
    };
    let mut page = Page(String::new());
    page.metric("crm_viewer_spans_received_total", "counter", "Spans kept when they arrived.");
    page.sample("crm_viewer_spans_received_total", "", counters.kept.load(Relaxed));
    page.metric("crm_viewer_spans_duplicate_total", "counter", "Spans that were here already.");
    page.sample("crm_viewer_spans_duplicate_total", "", counters.duplicates.load(Relaxed));
    page.metric("crm_viewer_spans_refused_total", "counter", "Spans that could not be kept, by reason.");
    for (counter, refusal) in counters.refused.iter().zip(Refusal::ALL) {
        let label = format!("{{reason=\"{}\"}}", refusal.label());
        page.sample("crm_viewer_spans_refused_total", &label, counter.load(Relaxed));
    }
    page.metric("crm_viewer_spans_evicted_total", "counter", "Spans thrown out to stay within bounds.");
    page.sample("crm_viewer_spans_evicted_total", "", evicted.spans);
    page.metric("crm_viewer_traces_evicted_total", "counter", "Traces thrown out to stay within bounds.");
    page.sample("crm_viewer_traces_evicted_total", "", evicted.traces);
    page.metric("crm_viewer_traces", "gauge", "Traces in memory.");
    page.sample("crm_viewer_traces", "", traces);
    page.metric("crm_viewer_spans", "gauge", "Spans in memory.");
    page.sample("crm_viewer_spans", "", usage.spans);
    page.metric("crm_viewer_store_bytes", "gauge", "Bytes that the spans in memory take, with tables and indexes.");
    page.sample("crm_viewer_store_bytes", "", usage.bytes);
    if let Some(bytes) = resident_bytes() {
        page.metric("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.");
        page.sample("process_resident_memory_bytes", "", bytes);
    }
    page.0
}

struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

/// Linux tells it in kilobytes, independent of the page size.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
