//! JSON to message, every fault with the path of its field.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value, prost::Message};

use super::{Json, WellKnown, join, scalar, well_known};
use crate::{faults::Faults, field_path::find_field};

/// Reads an object as a message. `path` is put before the names of its fields in faults.
pub(crate) fn read_message(
    message: &MessageDescriptor,
    json: &Json<'_>,
    path: &str,
    faults: &mut Faults,
) -> DynamicMessage {
    let empty = || DynamicMessage::new(message.clone());
    if let Some(form) = WellKnown::of(message) {
        if form == WellKnown::Any {
            return read_any(message, json, path, faults).unwrap_or_else(empty);
        }
        return form.read(message, json).unwrap_or_else(|expected| {
            faults.invalid(path, expected);
            empty()
        });
    }
    let Json::Object(entries) = json else {
        faults.invalid(path, "must be an object");
        return empty();
    };
    let mut read = empty();
    read_entries(&mut read, entries.iter().map(|(name, json)| (&**name, json)), path, faults);
    read
}

/// A message that names its own type; read as every other, so that its fields are told of by name, too.
fn read_any(any: &MessageDescriptor, json: &Json<'_>, path: &str, faults: &mut Faults) -> Option<DynamicMessage> {
    let type_url = json.get("@type").and_then(Json::as_str);
    let found = type_url.and_then(|url| any.parent_pool().get_message_by_name(url.rsplit_once('/')?.1));
    let (Some(type_url), Some(inner), Json::Object(entries)) = (type_url, found, json) else {
        faults.invalid(path, WellKnown::Any.expectation());
        return None;
    };
    let message = match WellKnown::of(&inner) {
        Some(_) => read_message(&inner, json.get("value").unwrap_or(&Json::Null), &join(path, "value"), faults),
        None => {
            let mut read = DynamicMessage::new(inner);
            let fields = entries.iter().filter(|(name, _)| name != "@type").map(|(name, json)| (&**name, json));
            read_entries(&mut read, fields, path, faults);
            read
        }
    };
    let mut read = DynamicMessage::new(any.clone());
    read.try_set_field_by_number(1, Value::String(type_url.to_owned())).ok()?;
    read.try_set_field_by_number(2, Value::Bytes(message.encode_to_vec().into())).ok()?;
    Some(read)
}

/// A key that comes again has been told of by `refuse_twice`; the same field in its other spelling is told of here,
/// whatever the two values are: null and an empty text are values that somebody wrote.
fn read_entries<'j>(
    read: &mut DynamicMessage,
    entries: impl Iterator<Item = (&'j str, &'j Json<'j>)>,
    path: &str,
    faults: &mut Faults,
) {
    let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
    for (name, json) in entries.filter(|(name, _)| names.insert(*name)) {
        let path = join(path, name);
        match find_field(&read.descriptor(), name) {
            Some(field) if !numbers.insert(field.number()) => faults.conflict(&path, "is given in both spellings"),
            Some(field) => read_entry(read, &field, json, &path, faults),
            None => faults.unknown(&path),
        }
    }
}

/// Reads the JSON of one field, list and map included. Null is no value.
pub(crate) fn read_field(field: &FieldDescriptor, json: &Json<'_>, path: &str, faults: &mut Faults) -> Option<Value> {
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

fn read_entry(read: &mut DynamicMessage, field: &FieldDescriptor, json: &Json<'_>, path: &str, faults: &mut Faults) {
    let Some(value) = read_field(field, json, path, faults) else { return };
    if let Some(choice) = field.containing_oneof()
        && let Some(taken) = choice.fields().find(|other| read.has_field(other))
    {
        return faults.conflict(path, format!("cannot be given together with {}", taken.json_name()));
    }
    // The value was read against this very field, so it fits.
    let _ = read.try_set_field(field, value);
}

fn read_single(kind: &Kind, json: &Json<'_>, path: &str, faults: &mut Faults) -> Option<Value> {
    let read = match kind {
        Kind::Message(_) if matches!(json, Json::Null) && !holds_null(kind) => Err("must not be null"),
        Kind::Message(message) => return Some(Value::Message(read_message(message, json, path, faults))),
        _ => scalar::from_json(kind, json),
    };
    read.map_err(|expected| faults.invalid(path, expected)).ok()
}

fn read_map(kind: &Kind, json: &Json<'_>, path: &str, faults: &mut Faults) -> Option<Value> {
    let (Kind::Message(entry), Json::Object(entries)) = (kind, json) else {
        faults.invalid(path, "must be an object");
        return None;
    };
    let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let mut map = HashMap::with_capacity(entries.len());
    let mut names = HashSet::new();
    for (name, json) in entries.iter().filter(|(name, _)| names.insert(&**name)) {
        let path = join(path, name);
        let key = match scalar::map_key(&key_kind, name) {
            Ok(key) => key,
            Err(expected) => {
                faults.invalid(&path, format!("the key {expected}"));
                continue;
            }
        };
        match (map.entry(key), read_single(&value_kind, json, &path, faults)) {
            (Entry::Vacant(free), Some(value)) => drop(free.insert(value)),
            // Other digits for one number, such as `1` and `1.0`.
            (Entry::Occupied(_), _) => faults.conflict(&path, "is given more than once"),
            _ => {}
        }
    }
    Some(Value::Map(map))
}

/// Null is a value of these types, and nowhere else.
fn holds_null(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => well_known::holds_null(message),
        Kind::Enum(names) => names.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}
