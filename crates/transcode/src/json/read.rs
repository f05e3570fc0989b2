//! JSON to message, every fault with the path of its field.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::Value as Json;

use super::{WellKnown, scalar};
use crate::{faults::Faults, field_path::find_field};

/// Reads an object as a message. `path` is put before the names of its fields in faults.
pub(crate) fn read_message(
    message: &MessageDescriptor,
    json: &Json,
    path: &str,
    faults: &mut Faults,
) -> DynamicMessage {
    let empty = || DynamicMessage::new(message.clone());
    if let Some(form) = WellKnown::of(message) {
        return form.read(message, json).unwrap_or_else(|expected| {
            faults.invalid(path, expected);
            empty()
        });
    }
    let Json::Object(entries) = json else {
        faults.invalid(if path.is_empty() { "body" } else { path }, "must be an object");
        return empty();
    };
    let mut read = empty();
    for (name, json) in entries {
        let path = join(path, name);
        match find_field(message, name) {
            Some(field) => read_entry(&mut read, &field, json, &path, faults),
            None => faults.unknown(&path),
        }
    }
    read
}

/// Reads the JSON of one field, list and map included. Null is no value.
pub(crate) fn read_field(field: &FieldDescriptor, json: &Json, path: &str, faults: &mut Faults) -> Option<Value> {
    match json {
        Json::Null if !holds_null(&field.kind()) => None,
        Json::Array(items) if field.is_list() => {
            let read = |(index, item)| read_single(&field.kind(), item, &format!("{path}[{index}]"), faults);
            Some(Value::List(items.iter().enumerate().filter_map(read).collect()))
        }
        _ if field.is_list() => {
            faults.invalid(path, "must be an array");
            None
        }
        _ if field.is_map() => read_map(&field.kind(), json, path, faults),
        _ => read_single(&field.kind(), json, path, faults),
    }
}

/// Reads what a path variable or query parameter says of one field or list item.
pub(crate) fn read_text(field: &FieldDescriptor, text: &str) -> Result<Value, &'static str> {
    match field.kind() {
        _ if field.is_map() => Err("is a map and cannot be given in the query"),
        Kind::Message(message) => match WellKnown::of(&message) {
            Some(form) => form.read_text(&message, text).map(Value::Message),
            None => Err("is a message; its fields are given as `name.field=value`"),
        },
        kind => scalar::from_text(&kind, text),
    }
}

fn read_entry(read: &mut DynamicMessage, field: &FieldDescriptor, json: &Json, path: &str, faults: &mut Faults) {
    if read.has_field(field) {
        return faults.conflict(path, "is given in both spellings");
    }
    let Some(value) = read_field(field, json, path, faults) else { return };
    if let Some(choice) = field.containing_oneof()
        && let Some(taken) = choice.fields().find(|other| read.has_field(other))
    {
        return faults.conflict(path, format!("cannot be given together with {}", taken.json_name()));
    }
    // The value was read against this very field, so it fits.
    let _ = read.try_set_field(field, value);
}

fn read_single(kind: &Kind, json: &Json, path: &str, faults: &mut Faults) -> Option<Value> {
    let read = match kind {
        Kind::Message(_) if json.is_null() && !holds_null(kind) => Err("must not be null"),
        Kind::Message(message) => return Some(Value::Message(read_message(message, json, path, faults))),
        _ => scalar::from_json(kind, json),
    };
    read.map_err(|expected| faults.invalid(path, expected)).ok()
}

fn read_map(kind: &Kind, json: &Json, path: &str, faults: &mut Faults) -> Option<Value> {
    let (Kind::Message(entry), Json::Object(entries)) = (kind, json) else {
        faults.invalid(path, "must be an object");
        return None;
    };
    let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let mut map = HashMap::with_capacity(entries.len());
    for (key, json) in entries {
        let path = join(path, key);
        match scalar::map_key(&key_kind, key) {
            Ok(key) => map.extend(read_single(&value_kind, json, &path, faults).map(|value| (key, value))),
            Err(expected) => faults.invalid(&path, format!("the key {expected}")),
        }
    }
    Some(Value::Map(map))
}

/// Null is a value of these types, and nowhere else.
fn holds_null(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => WellKnown::of(message) == Some(WellKnown::Value),
        Kind::Enum(names) => names.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
