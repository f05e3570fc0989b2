//! Limits of a field's values as JSON Schema says them.

use crm_proto::crm::api::v1::Limits;
use prost_reflect::Kind;
use serde_json::{Map, Value, json};

/// What no line of text holds, as a class of a regular expression: control characters, and what breaks lines or turns
/// the direction of text.
const FORBIDDEN: &str = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069";
/// What does not show: blanks, and Unicode's default-ignorables.
const UNSEEN: &str = r"\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8";

/// A UUID, or nothing.
const UUID_OR_NONE: &str = "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$";

/// Adds to the schema of one value, not of a list of them.
pub(super) fn narrow(schema: &mut Value, limits: &Limits, kind: &Kind, is_required: bool) {
    let Some(schema) = schema.as_object_mut() else { return };
    match kind {
        // An empty text is none at all.
        Kind::String if limits.format == "uuid" && !is_required => {
            schema.remove("format");
            schema.insert("pattern".to_owned(), UUID_OR_NONE.into());
        }
        Kind::String => narrow_text(schema, limits),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            schema.insert("minimum".to_owned(), limits.minimum.unwrap_or(i32::MIN.into()).into());
            schema.insert("maximum".to_owned(), limits.maximum.unwrap_or(i32::MAX.into()).into());
        }
        // Of a number that is written as text.
        Kind::Int64 if limits.minimum == Some(0) => drop(schema.insert("pattern".to_owned(), "^[0-9]{1,18}$".into())),
        Kind::Int64 => drop(schema.insert("pattern".to_owned(), "^-?[0-9]{1,18}$".into())),
        _ => {}
    }
}

fn narrow_text(schema: &mut Map<String, Value>, limits: &Limits) {
    let mut insert = |name: &str, value: Value| drop(schema.insert(name.to_owned(), value));
    if limits.min_length > 0 {
        insert("minLength", limits.min_length.into());
    }
    if limits.max_length > 0 {
        insert("maxLength", limits.max_length.into());
    }
    if !limits.format.is_empty() {
        insert("format", limits.format.as_str().into());
    }
    if !limits.values.is_empty() {
        insert("enum", json!(limits.values));
    }
    if limits.text && limits.min_length > 0 {
        insert("pattern", format!("^[^{FORBIDDEN}]*[^{FORBIDDEN}{UNSEEN}][^{FORBIDDEN}]*$").into());
    } else if limits.text {
        insert("pattern", format!("^[^{FORBIDDEN}]*$").into());
    } else if !limits.pattern.is_empty() {
        insert("pattern", limits.pattern.as_str().into());
    }
}

/// Adds to the schema of a list.
pub(super) fn narrow_list(schema: &mut Value, limits: &Limits) {
    for (name, items) in [("minItems", limits.min_items), ("maxItems", limits.max_items)] {
        if items > 0 {
            schema[name] = items.into();
        }
    }
}

/// The example of a field, which stands in its options as JSON.
pub(super) fn example(limits: &Limits) -> Option<Value> {
    serde_json::from_str(&limits.example).ok()
}
