//! Ids: UUIDs in their one spelling.

use uuid::Uuid;

use crate::Flaw;

/// The id in a text.
///
/// # Errors
/// There is none, or it is no UUID with hyphens.
pub fn parse_id(text: &str) -> Result<Uuid, Flaw> {
    match text {
        "" => Err(Flaw::missing()),
        // Hyphenated only: an id has one spelling.
        text if text.len() == 36 => Uuid::try_parse(text).map_err(|_| not_an_id()),
        _ => Err(not_an_id()),
    }
}

/// Writes an id in lower case, so that requests that differ in its case alone are one request.
pub fn unify_id(text: &mut String) {
    if let Ok(id) = parse_id(text) {
        *text = id.to_string();
    }
}

fn not_an_id() -> Flaw {
    Flaw::malformed("must be a UUID such as \"0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e\"")
}
