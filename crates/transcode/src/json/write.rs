//! Message to JSON.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use serde::Serialize;

use super::{WellKnown, well_known::json_spelling};

/// `Any`s nested deeper than this stay bytes: each is decoded afresh, so the decoder's own bound does not hold.
const MAX_ANY_DEPTH: usize = 8;

/// Whether fields without presence are shown while empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defaults {
    /// Always shown: scalars, lists and maps; never optional fields and messages that are not set.
    Show,
    Omit,
}

/// The message has no JSON form.
#[derive(Debug)]
pub(crate) struct Unrepresentable;

pub(super) type Written = Result<(), Unrepresentable>;

/// Appends the JSON of `message`.
pub(crate) fn write_message(out: &mut Vec<u8>, message: &DynamicMessage, defaults: Defaults) -> Written {
    Writer { out, defaults, any_depth: 0 }.message(message)
}

/// Appends the JSON of one field's value.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value, field: &FieldDescriptor, defaults: Defaults) -> Written {
    Writer { out, defaults, any_depth: 0 }.field(value, field)
}

/// Appends the JSON of an `Any`: as its message if `pool` knows it, else `{"@type", "value"}` with base64.
pub(crate) fn write_any(out: &mut Vec<u8>, pool: &DescriptorPool, type_url: &str, value: &[u8]) -> Written {
    Writer { out, defaults: Defaults::Omit, any_depth: 0 }.any(pool, type_url, value)
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    defaults: Defaults,
    any_depth: usize,
}

impl Writer<'_> {
    fn message(&mut self, message: &DynamicMessage) -> Written {
        match WellKnown::of(&message.descriptor()) {
            Some(form) => self.well_known(form, message),
            None => {
                self.out.push(b'{');
                self.fields(message, true)?;
                self.out.push(b'}');
                Ok(())
            }
        }
    }

    fn fields(&mut self, message: &DynamicMessage, mut first: bool) -> Written {
        for field in message.descriptor().fields() {
            let shown = message.has_field(&field) || (self.defaults == Defaults::Show && !field.supports_presence());
            if shown {
                self.separate(&mut first);
                self.plain(field.json_name())?;
                self.out.push(b':');
                self.field(&message.get_field(&field), &field)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, value: &Value, field: &FieldDescriptor) -> Written {
        match (value, field.kind()) {
            (Value::List(items), kind) => self.list(items, &kind),
            (Value::Map(entries), Kind::Message(entry)) => self.map(entries, &entry.map_entry_value_field().kind()),
            (value, kind) => self.single(value, &kind),
        }
    }

    fn list(&mut self, items: &[Value], kind: &Kind) -> Written {
        self.out.push(b'[');
        let mut first = true;
        for item in items {
            self.separate(&mut first);
            self.single(item, kind)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// In the order of the keys, so that the same message gives the same bytes.
    fn map(&mut self, entries: &std::collections::HashMap<MapKey, Value>, kind: &Kind) -> Written {
        self.out.push(b'{');
        let mut first = true;
        for (key, value) in entries.iter().collect::<BTreeMap<_, _>>() {
            self.separate(&mut first);
            self.plain(&key_text(key))?;
            self.out.push(b':');
            self.single(value, kind)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn single(&mut self, value: &Value, kind: &Kind) -> Written {
        match value {
            Value::Bool(value) => self.plain(value),
            Value::I32(value) => self.plain(value),
            Value::U32(value) => self.plain(value),
            Value::I64(value) => self.plain(&value.to_string()),
            Value::U64(value) => self.plain(&value.to_string()),
            Value::F32(value) if value.is_finite() => self.plain(value),
            Value::F32(value) => self.plain(non_finite(f64::from(*value))),
            Value::F64(value) if value.is_finite() => self.plain(value),
            Value::F64(value) => self.plain(non_finite(*value)),
            Value::String(value) => self.plain(value),
            Value::Bytes(value) => self.plain(&BASE64_STANDARD.encode(value)),
            Value::EnumNumber(number) => self.enumerated(*number, kind),
            Value::Message(message) => self.message(message),
            Value::List(items) => self.list(items, kind),
            Value::Map(entries) => self.map(entries, kind),
        }
    }

    /// A number that the schema does not name stays a number.
    fn enumerated(&mut self, number: i32, kind: &Kind) -> Written {
        match kind {
            Kind::Enum(names) if names.full_name() == "google.protobuf.NullValue" => self.plain(&()),
            Kind::Enum(names) => match names.get_value(number) {
                Some(value) => self.plain(value.name()),
                None => self.plain(&number),
            },
            _ => self.plain(&number),
        }
    }

    fn well_known(&mut self, form: WellKnown, message: &DynamicMessage) -> Written {
        match form {
            WellKnown::Wrapper => {
                let field = message.descriptor().get_field(1).ok_or(Unrepresentable)?;
                self.single(&message.get_field(&field), &field.kind())
            }
            WellKnown::FieldMask => {
                let mask: prost_reflect::prost_types::FieldMask =
                    message.transcode_to().map_err(|_| Unrepresentable)?;
                let paths: Vec<_> = mask.paths.iter().map(|path| json_spelling(path)).collect();
                self.plain(&paths.join(","))
            }
            WellKnown::Any => {
                let any: prost_reflect::prost_types::Any = message.transcode_to().map_err(|_| Unrepresentable)?;
                self.any(message.descriptor().parent_pool(), &any.type_url, &any.value)
            }
            WellKnown::Struct | WellKnown::ListValue | WellKnown::Value => {
                let mut json = serde_json::to_value(message).map_err(|_| Unrepresentable)?;
                write_whole(&mut json);
                self.plain(&json)
            }
            WellKnown::Timestamp | WellKnown::Duration => self.plain(message),
        }
    }

    fn any(&mut self, pool: &DescriptorPool, type_url: &str, value: &[u8]) -> Written {
        let start = self.out.len();
        if self.any_depth < MAX_ANY_DEPTH
            && let Some(message) = decode_any(pool, type_url, value)
        {
            self.any_depth += 1;
            let written = self.known_any(type_url, &message);
            self.any_depth -= 1;
            if written.is_ok() {
                return written;
            }
            self.out.truncate(start);
        }
        self.out.extend_from_slice(b"{\"@type\":");
        self.plain(type_url)?;
        self.out.extend_from_slice(b",\"value\":");
        self.plain(&BASE64_STANDARD.encode(value))?;
        self.out.push(b'}');
        Ok(())
    }

    fn known_any(&mut self, type_url: &str, message: &DynamicMessage) -> Written {
        self.out.extend_from_slice(b"{\"@type\":");
        self.plain(type_url)?;
        match WellKnown::of(&message.descriptor()) {
            Some(form) => {
                self.out.extend_from_slice(b",\"value\":");
                self.well_known(form, message)?;
            }
            None => self.fields(message, false)?,
        }
        self.out.push(b'}');
        Ok(())
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
    }

    /// What serde_json writes by itself; well-known types it refuses have no JSON form.
    fn plain<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        serde_json::to_writer(&mut *self.out, value).map_err(|_| Unrepresentable)
    }
}

/// Up to where each whole number is a double of its own.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Numbers of these types are doubles; one that is whole is written as it was: `5`, not `5.0`.
fn write_whole(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Number(number) => {
            let whole = number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < MOST_WHOLE);
            if let Some(whole) = whole.filter(|it| *it != 0.0 || it.is_sign_positive()) {
                #[allow(clippy::cast_possible_truncation, reason = "it is whole and within what an i64 holds")]
                let whole = whole as i64;
                *json = whole.into();
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(write_whole),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(write_whole),
        _ => {}
    }
}

fn decode_any(pool: &DescriptorPool, type_url: &str, value: &[u8]) -> Option<DynamicMessage> {
    let (_, name) = type_url.rsplit_once('/')?;
    DynamicMessage::decode(pool.get_message_by_name(name)?, value).ok()
}

fn non_finite(value: f64) -> &'static str {
    match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::prost::Message;

    use super::*;

    #[test]
    fn nested_anys_end() {
        let pool = DescriptorPool::global();
        let mut any = prost_reflect::prost_types::Any { type_url: "x/google.protobuf.Any".into(), value: Vec::new() };
        for _ in 0..50 {
            any = prost_reflect::prost_types::Any {
                type_url: "x/google.protobuf.Any".into(),
                value: any.encode_to_vec(),
            };
        }
        let mut out = Vec::new();
        write_any(&mut out, &pool, &any.type_url, &any.value).unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }
}
