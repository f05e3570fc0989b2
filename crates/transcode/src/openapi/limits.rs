//! Limits of a field's values as JSON Schema says them.

use crm_proto::crm::api::v1::Limits;
use prost_reflect::Kind;
use serde_json::{Map, Value, json};

use super::characters;

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
        Kind::Int64 => drop(schema.insert("pattern".to_owned(), digits(limits).into())),
        _ => {}
    }
}

/// Of a number that is written as text: so many digits that no number of them is too large.
fn digits(limits: &Limits) -> String {
    let digits = limits.maximum.unwrap_or(i64::MAX).saturating_add(1).max(10).ilog10();
    let sign = if limits.minimum == Some(0) { "" } else { "-?" };
    format!("^{sign}[0-9]{{1,{digits}}}$")
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
        let (all, shown) = (characters::of_text(), characters::that_show());
        insert("pattern", format!("^{all}*{shown}{all}*$").into());
    } else if limits.lines {
        insert("pattern", format!("^({}|[\\t\\n\\r])*$", characters::of_text()).into());
    } else if limits.text {
        insert("pattern", format!("^{}*$", characters::of_text()).into());
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
