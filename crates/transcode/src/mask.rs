//! The update mask of a PATCH that names none: the fields that its body has.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value as Json;

use crate::{field_path::find_field, json::WellKnown};

/// Sorted paths, in original spelling, of the fields in `json` that `is_skipped` does not leave out.
///
/// A key with an object of a plain message becomes the paths of its keys; all else, null included, is one path.
pub(crate) fn derive(
    message: &MessageDescriptor,
    json: &Json,
    is_skipped: &dyn Fn(&str, &FieldDescriptor) -> bool,
) -> Vec<String> {
    let mut paths = Vec::new();
    collect(message, json, "", is_skipped, &mut paths);
    paths.sort_unstable();
    paths
}

fn collect(
    message: &MessageDescriptor,
    json: &Json,
    prefix: &str,
    is_skipped: &dyn Fn(&str, &FieldDescriptor) -> bool,
    paths: &mut Vec<String>,
) {
    for (name, json) in json.as_object().into_iter().flatten() {
        let Some(field) = find_field(message, name) else { continue };
        let path = format!("{prefix}{}", field.name());
        if is_skipped(&path, &field) {
            continue;
        }
        match (plain_message(&field), json) {
            (Some(inner), Json::Object(entries)) if !entries.is_empty() => {
                collect(&inner, json, &format!("{path}."), is_skipped, paths);
            }
            _ => paths.push(path),
        }
    }
}

fn plain_message(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(inner) if !field.is_list() && !field.is_map() && WellKnown::of(&inner).is_none() => Some(inner),
        _ => None,
    }
}
