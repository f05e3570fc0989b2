//! A trace in the JSON that Jaeger's pages read: processes by key, times in microseconds, typed tags.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value as Json;

use super::ancestry::find_cuts;
use crate::{
    span::{SpanId, TraceId},
    store::{Body, PackedEvent, PackedSpan, PackedTag, Process, Store, Trace, ValueRef},
};

/// JavaScript holds whole numbers exactly up to 2^53 - 1; larger ones travel as text.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JaegerTrace<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    spans: Vec<JaegerSpan<'a>>,
    processes: BTreeMap<String, JaegerProcess<'a>>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: &'a str,
    references: Vec<Reference>,
    /// Microseconds since 1970.
    start_time: u64,
    /// Microseconds.
    duration: u64,
    tags: Vec<Tag<'a>>,
    logs: Vec<Log<'a>>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Tag<'a> {
    key: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Json,
}

#[derive(Serialize)]
struct Log<'a> {
    timestamp: u64,
    fields: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JaegerProcess<'a> {
    service_name: &'a str,
    tags: Vec<Tag<'a>>,
}

/// Renders a trace. Unless `raw`, circles of parents are cut and missing parents are told.
pub(super) fn render<'a>(store: &'a Store, id: TraceId, trace: &'a Trace, raw: bool) -> JaegerTrace<'a> {
    let renderer = Renderer { store, id, trace, raw };
    let cuts = if raw { vec![false; trace.spans().len()] } else { find_cuts(trace) };
    let mut spans: Vec<_> = trace.spans().iter().zip(cuts).map(|(span, cut)| renderer.span(span, cut)).collect();
    spans.sort_by_key(|span| span.start_time);
    let warning = refused_warning(trace.refused());
    // The pages show what a span's reader is warned of, and nothing of the trace's own warnings.
    if let Some((span, warning)) = spans.first_mut().zip(warning.clone()) {
        span.warnings.get_or_insert_default().push(warning);
    }
    let warnings = warning.map(|warning| vec![warning]);
    JaegerTrace { trace_id: id.to_string(), spans, processes: renderer.processes(), warnings }
}

fn refused_warning(spans: u64) -> Option<String> {
    (spans > 0).then(|| {
        format!("{spans} spans of this trace were refused: a trace, and an export, may fill a part of the memory only")
    })
}

struct Renderer<'a> {
    store: &'a Store,
    id: TraceId,
    trace: &'a Trace,
    raw: bool,
}

impl<'a> Renderer<'a> {
    fn span(&self, span: &'a PackedSpan, cut: bool) -> JaegerSpan<'a> {
        let mut body = span.body();
        let mut warnings = std::mem::take(&mut body.warnings);
        warnings.extend(self.parent_warning(span, cut));
        JaegerSpan {
            trace_id: self.id.to_string(),
            span_id: span.id.to_string(),
            operation_name: self.store.strings().text(span.name),
            references: self.references(span.parent.filter(|_| !cut), &body),
            start_time: span.start_ns / 1_000,
            duration: span.duration_ns / 1_000,
            tags: self.tags(&body.tags),
            logs: body.events.iter().map(|event| self.log(event)).collect(),
            process_id: process_key(span.process),
            warnings: (!warnings.is_empty()).then_some(warnings),
        }
    }

    /// A missing parent is worth a word only where it should be here: a remote one may never have been sent to us.
    fn parent_warning(&self, span: &PackedSpan, cut: bool) -> Option<String> {
        let parent = span.parent.filter(|_| !self.raw)?;
        if cut {
            return Some(format!("parent {parent} is also a descendant of this span; shown without a parent"));
        }
        let is_missing = !span.is_parent_remote && self.trace.find(parent).is_none();
        is_missing.then(|| format!("parent {parent} has not arrived"))
    }

    fn references(&self, parent: Option<SpanId>, body: &Body) -> Vec<Reference> {
        let child_of = parent.map(|parent| Reference::new("CHILD_OF", self.id, parent));
        let follows = body.links().map(|link| Reference::new("FOLLOWS_FROM", link.trace, link.span));
        child_of.into_iter().chain(follows).collect()
    }

    fn log(&self, event: &PackedEvent) -> Log<'a> {
        Log { timestamp: event.time_ns / 1_000, fields: self.tags(&event.tags) }
    }

    fn tags(&self, tags: &[PackedTag]) -> Vec<Tag<'a>> {
        let strings = self.store.strings();
        let typed = tags.iter().map(|tag| (strings.text(tag.key()), typed(tag.value(strings))));
        typed.map(|(key, (kind, value))| Tag { key, kind, value }).collect()
    }

    fn processes(&self) -> BTreeMap<String, JaegerProcess<'a>> {
        let places: BTreeSet<_> = self.trace.spans().iter().map(|span| span.process).collect();
        let known = places.into_iter().filter_map(|place| Some((place, self.store.process(place)?)));
        known.map(|(place, process)| (process_key(place), self.process(process))).collect()
    }

    fn process(&self, process: &'a Process) -> JaegerProcess<'a> {
        let service_name = self.store.strings().text(process.service());
        JaegerProcess { service_name, tags: self.tags(&process.tags) }
    }
}

impl Reference {
    fn new(ref_type: &'static str, trace: TraceId, span: SpanId) -> Self {
        Self { ref_type, trace_id: trace.to_string(), span_id: span.to_string() }
    }
}

fn process_key(place: u32) -> String {
    format!("p{}", u64::from(place) + 1)
}

fn typed(value: ValueRef<'_>) -> (&'static str, Json) {
    match value {
        ValueRef::Text(text) => ("string", text.into()),
        ValueRef::Bool(value) => ("bool", value.into()),
        ValueRef::Int(value) if value.unsigned_abs() > MAX_SAFE_INTEGER => ("int64", value.to_string().into()),
        ValueRef::Int(value) => ("int64", value.into()),
        ValueRef::Float(value) if !value.is_finite() => ("float64", value.to_string().into()),
        ValueRef::Float(value) => ("float64", value.into()),
        ValueRef::Binary(bytes) => ("binary", STANDARD.encode(bytes).into()),
    }
}
