//! One received span becomes a checked one: what cannot be filed is refused, what is odd is kept with a warning.

use bytes::Bytes;
use prost::Message;

use super::{
    values::{Attributes, name},
    wire::{Event, Link, Resource, Scope, Span, Status},
};
use crate::{
    refusal::Refusal,
    span::{self, Kind, NewEvent, NewProcess, NewSpan, NewTag, SpanId, TraceId, Value},
};

/// Clocks of senders may be ahead of ours by this much; later times are no times.
const MAX_AHEAD_NS: u64 = 24 * 3600 * 1_000_000_000;
/// Events and links kept per span.
const MAX_EVENTS: usize = 256;
const MAX_LINKS: usize = 128;
/// `SpanFlags` of trace.proto: the sender knows whether the parent is remote; and it is.
const FLAG_REMOTE_KNOWN: u32 = 0x100;
const FLAG_REMOTE: u32 = 0x200;
const STATUS_OK: i32 = 1;
const STATUS_ERROR: i32 = 2;

/// Reads who sent the spans. A resource that cannot be read must not cost its spans.
pub(super) fn process(raw: Bytes) -> NewProcess {
    let attributes = Resource::decode(raw).unwrap_or_default().attributes;
    let mut tags = Vec::with_capacity(attributes.len());
    let mut reader = Attributes::new();
    reader.read_into(&mut tags, attributes);
    tags.extend(reader.warnings().map(|warning| NewTag::new("viewer.warning", &*warning)));
    NewProcess { service: take_service(&mut tags), tags }
}

/// The service's name goes into its own field; nameless ones get the specification's stand-in.
fn take_service(tags: &mut Vec<NewTag>) -> String {
    let position = tags.iter().position(|tag| tag.key == "service.name");
    match position.map(|position| tags.remove(position).value) {
        Some(Value::Text(service)) if !service.is_empty() => name(service.as_bytes()),
        _ => "unknown_service".to_owned(),
    }
}

/// Tags that every span of an instrumentation scope carries.
pub(super) fn scope_tags(raw: Bytes) -> Vec<NewTag> {
    let scope = Scope::decode(raw).unwrap_or_default();
    let pairs = [("otel.scope.name", scope.name), ("otel.scope.version", scope.version)];
    pairs.into_iter().filter(|pair| !pair.1.is_empty()).map(|(key, text)| NewTag::new(key, &*name(&text))).collect()
}

/// Reads one span; `now_ns` stands in for times that cannot be.
pub(super) fn span(raw: Bytes, scope: &[NewTag], now_ns: u64) -> Result<NewSpan, Refusal> {
    let raw = Span::decode(raw).map_err(|_| Refusal::Undecodable)?;
    let trace = trace_id(&raw.trace_id).ok_or(Refusal::TraceId)?;
    let id = span_id(&raw.span_id).ok_or(Refusal::SpanId)?;
    let mut warnings = Vec::new();
    let (start_ns, duration_ns) = times(&raw, now_ns, &mut warnings);
    let parent = parent(&raw, id, &mut warnings);
    let kind = kind(raw.kind, &mut warnings);
    let status = Status::decode(raw.status.clone()).unwrap_or_default();
    let mut span = NewSpan {
        trace,
        id,
        parent,
        is_parent_remote: raw.flags & FLAG_REMOTE_KNOWN == 0 || raw.flags & FLAG_REMOTE != 0,
        name: name(&raw.name),
        kind,
        start_ns,
        duration_ns,
        is_error: status.code == STATUS_ERROR,
        tags: derived_tags(kind, &status, &raw.trace_state),
        events: Vec::new(),
        links: Vec::new(),
        warnings,
    };
    fill(&mut span, raw, scope);
    Ok(span)
}

fn trace_id(raw: &[u8]) -> Option<TraceId> {
    raw.try_into().ok().map(u128::from_be_bytes).filter(|id| *id != 0).map(TraceId)
}

fn span_id(raw: &[u8]) -> Option<SpanId> {
    raw.try_into().ok().map(u64::from_be_bytes).filter(|id| *id != 0).map(SpanId)
}

fn parent(raw: &Span, id: SpanId, warnings: &mut Vec<String>) -> Option<SpanId> {
    let parent = span_id(&raw.parent_span_id);
    if parent == Some(id) {
        warnings.push("the span names itself as its parent; shown without one".to_owned());
        return None;
    }
    if parent.is_none() && raw.parent_span_id.iter().any(|byte| *byte != 0) {
        warnings.push(format!(
            "parent_span_id has {} bytes instead of 8; shown without a parent",
            raw.parent_span_id.len()
        ));
    }
    parent
}

fn times(raw: &Span, now_ns: u64, warnings: &mut Vec<String>) -> (u64, u64) {
    let latest = now_ns.saturating_add(MAX_AHEAD_NS);
    let (mut start, mut end) = (raw.start_time_unix_nano, raw.end_time_unix_nano);
    if start == 0 || start > latest {
        warnings.push("the start time is missing or in the far future; shown at its arrival".to_owned());
        start = now_ns;
    }
    if end < start || end > latest {
        warnings.push("the span ends before it starts, or in the far future; shown without duration".to_owned());
        end = start;
    }
    (start, end - start)
}

fn kind(number: i32, warnings: &mut Vec<String>) -> Kind {
    Kind::from_number(number).unwrap_or_else(|| {
        warnings.push(format!("span kind {number} is unknown"));
        Kind::Unspecified
    })
}

/// What Jaeger's pages look for as tags though OTLP has fields for it.
fn derived_tags(kind: Kind, status: &Status, trace_state: &[u8]) -> Vec<NewTag> {
    let mut tags = Vec::new();
    if kind != Kind::Unspecified {
        tags.push(NewTag::new("span.kind", kind.name()));
    }
    match status.code {
        STATUS_ERROR => {
            tags.push(NewTag { key: "error".to_owned(), value: Value::Bool(true) });
            tags.push(NewTag::new("otel.status_code", "ERROR"));
        }
        STATUS_OK => tags.push(NewTag::new("otel.status_code", "OK")),
        _ => {}
    }
    for (key, text) in [("otel.status_description", &*status.message), ("w3c.tracestate", trace_state)] {
        if !text.is_empty() {
            tags.push(NewTag::new(key, &*name(text)));
        }
    }
    tags
}

/// Attributes, events and links, as far as they fit.
fn fill(span: &mut NewSpan, raw: Span, scope: &[NewTag]) {
    let mut attributes = Attributes::new();
    attributes.read_into(&mut span.tags, raw.attributes);
    span.tags.extend_from_slice(scope);
    let (events, links) = (raw.events.len(), raw.links.len());
    span.events
        .extend(raw.events.into_iter().take(MAX_EVENTS).filter_map(|raw| event(raw, span.start_ns, &mut attributes)));
    span.links.extend(raw.links.into_iter().take(MAX_LINKS).filter_map(link));
    let lost = [
        ("attributes", usize::try_from(raw.dropped_attributes_count).unwrap_or(usize::MAX)),
        ("events", lost(events, span.events.len(), raw.dropped_events_count)),
        ("links", lost(links, span.links.len(), raw.dropped_links_count)),
    ];
    let told = lost.into_iter().filter(|(_, count)| *count > 0);
    span.warnings
        .extend(told.map(|(what, count)| format!("{count} {what} were dropped by the sender, or could not be read")));
    span.warnings.extend(attributes.warnings());
}

fn lost(received: usize, kept: usize, dropped: u32) -> usize {
    (received - kept).saturating_add(usize::try_from(dropped).unwrap_or(usize::MAX))
}

fn event(raw: Bytes, start_ns: u64, attributes: &mut Attributes) -> Option<NewEvent> {
    let event = Event::decode(raw).ok()?;
    let mut tags = Vec::with_capacity(event.attributes.len() + 1);
    if !event.name.is_empty() {
        tags.push(NewTag::new("event", &*name(&event.name)));
    }
    attributes.read_into(&mut tags, event.attributes);
    let time_ns = if event.time_unix_nano == 0 { start_ns } else { event.time_unix_nano };
    Some(NewEvent { time_ns, tags })
}

fn link(raw: Bytes) -> Option<span::Link> {
    let link = Link::decode(raw).ok()?;
    Some(span::Link { trace: trace_id(&link.trace_id)?, span: span_id(&link.span_id)? })
}
