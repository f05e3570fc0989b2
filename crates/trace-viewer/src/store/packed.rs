//! How a kept span lies in memory: a fixed head that searches read, and one small allocation with the rest.
//!
//! The rest is a protobuf message of our own with strings replaced by symbols: a typical span takes 64 bytes of head and
//! 100–200 of body, where the received one took kilobytes in dozens of allocations.

use prost::Message;

use super::interner::{Interner, Symbol};
use crate::span::{Kind, Link, NewEvent, NewSpan, NewTag, SpanId, TraceId, Value};

/// What the allocator adds to an allocation.
const ALLOCATION_BYTES: usize = 16;

/// A kept span; its strings are held in the interner until [`release`].
pub(crate) struct PackedSpan {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) process: u32,
    pub(crate) service: Symbol,
    pub(crate) name: Symbol,
    pub(crate) kind: Kind,
    pub(crate) is_parent_remote: bool,
    body: Box<[u8]>,
}

/// The parts of a span that only its page, and a search by tag, look at.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Body {
    #[prost(message, repeated, tag = "1")]
    pub(crate) tags: Vec<PackedTag>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) events: Vec<PackedEvent>,
    #[prost(message, repeated, tag = "3")]
    links: Vec<PackedLink>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PackedTag {
    #[prost(uint32, tag = "1")]
    key: u32,
    #[prost(oneof = "PackedValue", tags = "2, 3, 4, 5, 6, 7")]
    value: Option<PackedValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum PackedValue {
    #[prost(uint32, tag = "2")]
    Symbol(u32),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(sint64, tag = "5")]
    Int(i64),
    #[prost(double, tag = "6")]
    Float(f64),
    #[prost(bytes = "vec", tag = "7")]
    Binary(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PackedEvent {
    #[prost(fixed64, tag = "1")]
    pub(crate) time_ns: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) tags: Vec<PackedTag>,
}

#[derive(Clone, PartialEq, Message)]
struct PackedLink {
    #[prost(fixed64, tag = "1")]
    trace_high: u64,
    #[prost(fixed64, tag = "2")]
    trace_low: u64,
    #[prost(fixed64, tag = "3")]
    span: u64,
}

/// A value as readers see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ValueRef<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Float(f64),
    Binary(&'a [u8]),
}

impl PackedSpan {
    pub(crate) fn pack(span: NewSpan, process: u32, service: Symbol, strings: &mut Interner) -> Self {
        let body = Body {
            tags: pack_tags(span.tags, strings),
            events: span.events.into_iter().map(|event| PackedEvent::pack(event, strings)).collect(),
            links: span.links.iter().map(PackedLink::pack).collect(),
            warnings: span.warnings,
        };
        Self {
            id: span.id,
            parent: span.parent,
            start_ns: span.start_ns,
            duration_ns: span.duration_ns,
            process,
            service,
            name: strings.hold(&span.name),
            kind: span.kind,
            is_parent_remote: span.is_parent_remote,
            body: body.encode_to_vec().into_boxed_slice(),
        }
    }

    /// Bytes this span takes, without its share of the string table.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.body.len() + ALLOCATION_BYTES
    }

    /// End of the span on its sender's clock.
    pub(crate) fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.duration_ns)
    }

    /// Unpacks the body. What does not decode was never packed here, so it reads as empty.
    pub(crate) fn body(&self) -> Body {
        Body::decode(&*self.body).unwrap_or_default()
    }

    /// Gives back every string this span holds.
    pub(crate) fn release(self, strings: &mut Interner) {
        strings.release(self.name);
        let body = self.body();
        release_tags(&body.tags, strings);
        body.events.iter().for_each(|event| release_tags(&event.tags, strings));
    }
}

impl Body {
    pub(crate) fn links(&self) -> impl Iterator<Item = Link> + '_ {
        self.links.iter().map(PackedLink::unpack)
    }
}

impl PackedTag {
    fn pack(tag: NewTag, strings: &mut Interner) -> Self {
        let key = strings.hold(&tag.key);
        let value = match tag.value {
            Value::Text(text) => match strings.hold_value(key, &text) {
                Some(symbol) => PackedValue::Symbol(symbol.0),
                None => PackedValue::Text(text),
            },
            Value::Bool(value) => PackedValue::Bool(value),
            Value::Int(value) => PackedValue::Int(value),
            Value::Float(value) => PackedValue::Float(value),
            Value::Binary(value) => PackedValue::Binary(value),
        };
        Self { key: key.0, value: Some(value) }
    }

    pub(crate) fn key(&self) -> Symbol {
        Symbol(self.key)
    }

    pub(crate) fn value<'a>(&'a self, strings: &'a Interner) -> ValueRef<'a> {
        match &self.value {
            None => ValueRef::Text(""),
            Some(PackedValue::Symbol(symbol)) => ValueRef::Text(strings.text(Symbol(*symbol))),
            Some(PackedValue::Text(text)) => ValueRef::Text(text),
            Some(PackedValue::Bool(value)) => ValueRef::Bool(*value),
            Some(PackedValue::Int(value)) => ValueRef::Int(*value),
            Some(PackedValue::Float(value)) => ValueRef::Float(*value),
            Some(PackedValue::Binary(value)) => ValueRef::Binary(value),
        }
    }
}

impl PackedEvent {
    fn pack(event: NewEvent, strings: &mut Interner) -> Self {
        Self { time_ns: event.time_ns, tags: pack_tags(event.tags, strings) }
    }
}

impl PackedLink {
    fn pack(link: &Link) -> Self {
        let [a, b, c, d, e, f, g, h, low @ ..] = link.trace.0.to_be_bytes();
        Self {
            trace_high: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            trace_low: u64::from_be_bytes(low),
            span: link.span.0,
        }
    }

    fn unpack(&self) -> Link {
        let trace = (u128::from(self.trace_high) << 64) | u128::from(self.trace_low);
        Link { trace: TraceId(trace), span: SpanId(self.span) }
    }
}

pub(super) fn pack_tags(tags: Vec<NewTag>, strings: &mut Interner) -> Vec<PackedTag> {
    tags.into_iter().map(|tag| PackedTag::pack(tag, strings)).collect()
}

pub(super) fn release_tags(tags: &[PackedTag], strings: &mut Interner) {
    for tag in tags {
        strings.release(tag.key());
        if let Some(PackedValue::Symbol(symbol)) = tag.value {
            strings.release(Symbol(symbol));
        }
    }
}
