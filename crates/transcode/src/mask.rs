//! The update mask of a PATCH that names none: the fields that its body has.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::{
    field_path::find_field,
    json::{self, Json},
};

/// Sorted names, in original spelling, of the fields in `json` that `is_skipped` does not leave out.
///
/// A field is named as a whole, whatever it holds (AIP-134): a path into a message is one that the caller never wrote,
/// and a service need not know it. Null names its field, too, and so clears it.
///
/// Of a map whose values may be null each key that is given is a path of its own (AIP-161): what is left out stays, and null
/// takes away. Without keys it is named as a whole.
pub(crate) fn derive(
    message: &MessageDescriptor,
    json: &Json<'_>,
    is_skipped: &dyn Fn(&FieldDescriptor) -> bool,
) -> Vec<String> {
    let mut names = Vec::new();
    for name in json.keys() {
        let Some(field) = find_field(message, name).filter(|field| !is_skipped(field)) else { continue };
        let before = names.len();
        if is_map_of_any(&field) {
            let keys = json.get(name).into_iter().flat_map(Json::keys);
            names.extend(keys.map(|key| format!("{}.{key}", field.name())));
        }
        if names.len() == before {
            names.push(field.name().to_owned());
        }
    }
    names.sort_unstable();
    names
}

fn is_map_of_any(field: &FieldDescriptor) -> bool {
    let entry = field.is_map().then(|| field.kind().as_message().cloned()).flatten();
    let value = entry.map(|entry| entry.map_entry_value_field().kind());
    value.is_some_and(|kind| kind.as_message().is_some_and(json::holds_null))
}
