//! Which traces answer a search. As in Jaeger, one single span has to satisfy every filter.

use std::ops::RangeInclusive;

use crate::{
    span::{Kind, TraceId},
    store::{PackedSpan, PackedTag, Store, Symbol, Trace, ValueRef},
};

/// What a search asks for.
pub(super) struct Filter {
    pub(super) service: String,
    pub(super) operation: Option<String>,
    pub(super) kind: Option<Kind>,
    /// Keys with values in their text form; looked for on the span, its events and its process.
    pub(super) tags: Vec<(String, String)>,
    pub(super) durations_ns: RangeInclusive<u64>,
    pub(super) starts_ns: RangeInclusive<u64>,
    pub(super) limit: usize,
}

/// A filter with its names looked up; a name that no span holds matches nothing.
struct Lookup<'a> {
    store: &'a Store,
    filter: &'a Filter,
    service: Symbol,
    operation: Option<Symbol>,
    tags: Vec<(Symbol, &'a str)>,
}

/// The newest matching traces, newest first, at most as many as the filter's limit.
pub(super) fn search(store: &Store, filter: &Filter) -> Vec<TraceId> {
    let Some(lookup) = Lookup::new(store, filter) else { return Vec::new() };
    let traces = store.traces().iter().filter(|(_, trace)| lookup.matches_trace(trace));
    let mut found: Vec<_> = traces.map(|(id, trace)| (trace.start_ns(), *id)).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().take(filter.limit).map(|(_, id)| id).collect()
}

impl<'a> Lookup<'a> {
    fn new(store: &'a Store, filter: &'a Filter) -> Option<Self> {
        let strings = store.strings();
        let tags = filter.tags.iter().map(|(key, value)| Some((strings.find(key)?, value.as_str())));
        Some(Self {
            store,
            filter,
            service: strings.find(&filter.service)?,
            operation: filter.operation.as_ref().map_or(Some(None), |name| strings.find(name).map(Some))?,
            tags: tags.collect::<Option<_>>()?,
        })
    }

    fn matches_trace(&self, trace: &Trace) -> bool {
        let starts = &self.filter.starts_ns;
        trace.start_ns() <= *starts.end()
            && trace.end_ns() >= *starts.start()
            && trace.spans().iter().any(|span| self.matches_head(span) && self.matches_tags(span))
    }

    fn matches_head(&self, span: &PackedSpan) -> bool {
        span.service == self.service
            && self.operation.is_none_or(|name| name == span.name)
            && self.filter.kind.is_none_or(|kind| kind == span.kind)
            && self.filter.durations_ns.contains(&span.duration_ns)
            && self.filter.starts_ns.contains(&span.start_ns)
    }

    fn matches_tags(&self, span: &PackedSpan) -> bool {
        if self.tags.is_empty() {
            return true;
        }
        let body = span.body();
        let process = self.store.process(span.process).map_or(&[][..], |process| &process.tags);
        let groups = || [&*body.tags, process].into_iter().chain(body.events.iter().map(|event| &*event.tags));
        self.tags.iter().all(|wanted| groups().any(|tags| self.has_tag(tags, *wanted)))
    }

    fn has_tag(&self, tags: &[PackedTag], (key, text): (Symbol, &str)) -> bool {
        tags.iter().any(|tag| tag.key() == key && is_text_of(tag.value(self.store.strings()), text))
    }
}

/// Whether `text` is how a person would write the value.
fn is_text_of(value: ValueRef<'_>, text: &str) -> bool {
    match value {
        ValueRef::Text(value) => value == text,
        ValueRef::Bool(value) => text == if value { "true" } else { "false" },
        ValueRef::Int(value) => text.parse() == Ok(value),
        ValueRef::Float(value) => text.parse() == Ok(value),
        ValueRef::Binary(_) => false,
    }
}
