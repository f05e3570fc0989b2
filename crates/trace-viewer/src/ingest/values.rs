//! Attributes: typed, cut to size, with what was wrong put into words.

use bytes::Bytes;
use prost::Message;
use serde_json::{Map, Value as Json};

use super::wire::{Any, AnyValue, KeyValue};
use crate::span::{NewTag, Value};

/// Longest text or binary value kept; more is cut.
const MAX_VALUE_BYTES: usize = 8 << 10;
/// Longest key or name kept.
const MAX_NAME_BYTES: usize = 512;
/// Bytes of attributes, events and all, that one span may bring.
const MAX_SPAN_BYTES: usize = 64 << 10;
/// Nesting shown; deeper values become an ellipsis.
const MAX_DEPTH: usize = 16;

/// Turns raw attributes into tags within the size one span may have, and remembers what had to be left out.
pub(super) struct Attributes {
    left: usize,
    cut: u32,
    dropped: u32,
    unreadable: u32,
}

impl Attributes {
    pub(super) fn new() -> Self {
        Self { left: MAX_SPAN_BYTES, cut: 0, dropped: 0, unreadable: 0 }
    }

    pub(super) fn read_into(&mut self, tags: &mut Vec<NewTag>, raw: Vec<Bytes>) {
        for attribute in raw {
            match KeyValue::decode(attribute) {
                Ok(attribute) => self.keep(tags, attribute),
                Err(_) => self.unreadable += 1,
            }
        }
    }

    fn keep(&mut self, tags: &mut Vec<NewTag>, attribute: KeyValue) {
        let tag = NewTag { key: name(&attribute.key), value: self.value(attribute.value) };
        let bytes = tag.key.len() + value_bytes(&tag.value);
        if bytes > self.left {
            self.dropped += 1;
            return;
        }
        self.left -= bytes;
        tags.push(tag);
    }

    fn value(&mut self, value: Option<AnyValue>) -> Value {
        match value.and_then(|value| value.value) {
            None => Value::Text(String::new()),
            Some(Any::Text(text)) => Value::Text(self.text(String::from_utf8_lossy(&text).into_owned())),
            Some(Any::Bool(value)) => Value::Bool(value),
            Some(Any::Int(value)) => Value::Int(value),
            Some(Any::Float(value)) => Value::Float(value),
            Some(Any::Binary(bytes)) => {
                self.cut += u32::from(bytes.len() > MAX_VALUE_BYTES);
                Value::Binary(bytes.slice(..bytes.len().min(MAX_VALUE_BYTES)).to_vec())
            }
            Some(nested) => Value::Text(self.text(json(nested, MAX_DEPTH).to_string())),
        }
    }

    fn text(&mut self, mut text: String) -> String {
        if text.len() > MAX_VALUE_BYTES {
            self.cut += 1;
            text.truncate(text.floor_char_boundary(MAX_VALUE_BYTES));
            text.push('…');
        }
        text
    }

    /// What the reader of the span should know, if anything.
    pub(super) fn warnings(self) -> impl Iterator<Item = String> {
        let told = [
            (self.unreadable, "attributes could not be decoded"),
            (self.cut, "long values were cut at 8 KiB"),
            (self.dropped, "attributes were left out: a span may bring 64 KiB"),
        ];
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"))
    }
}

/// A name or key: broken UTF-8 replaced, cut to size.
pub(super) fn name(raw: &[u8]) -> String {
    let mut name = String::from_utf8_lossy(raw).into_owned();
    if name.len() > MAX_NAME_BYTES {
        name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
        name.push('…');
    }
    name
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => size_of::<u64>(),
    }
}

fn json(value: Any, depth: usize) -> Json {
    if depth == 0 {
        return Json::from("…");
    }
    let nested = |value: AnyValue| value.value.map_or(Json::Null, |value| json(value, depth - 1));
    match value {
        Any::Text(text) => Json::from(String::from_utf8_lossy(&text)),
        Any::Bool(value) => Json::from(value),
        Any::Int(value) => Json::from(value),
        Any::Float(value) => Json::from(value),
        Any::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Any::List(list) => list.values.into_iter().map(nested).collect::<Vec<_>>().into(),
        Any::Map(map) => {
            let pairs = map.values.into_iter();
            Json::Object(
                pairs.map(|pair| (name(&pair.key), pair.value.map_or(Json::Null, nested))).collect::<Map<_, _>>(),
            )
        }
    }
}
