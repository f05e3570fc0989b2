//! The update mask of a PATCH that names none: the fields that its body has.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::{field_path::find_field, json::Json};

/// Sorted names, in original spelling, of the fields in `json` that `is_skipped` does not leave out.
///
/// A field is named as a whole, whatever it holds (AIP-134): a path into a message is one that the caller never wrote,
/// and a service need not know it. Null names its field, too, and so clears it.
pub(crate) fn derive(
    message: &MessageDescriptor,
    json: &Json<'_>,
    is_skipped: &dyn Fn(&FieldDescriptor) -> bool,
) -> Vec<String> {
    let fields = json.keys().filter_map(|name| find_field(message, name)).filter(|field| !is_skipped(field));
    let mut names: Vec<String> = fields.map(|field| field.name().to_owned()).collect();
    names.sort_unstable();
    names
}
