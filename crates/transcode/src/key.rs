//! The `Idempotency-Key` header, which names a request as its `request_id` field does.

use http::HeaderMap;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use crate::faults::Faults;

/// Name of the header.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header's draft standard writes the key as a quoted string; plain ones are more usual.
pub(crate) fn unquote(key: &str) -> &str {
    let key = key.trim();
    key.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(key)
}

/// Fills the request id; one that is given already must be the same. Says whether the header alone gave it.
pub(crate) fn fill(
    field: Option<&FieldDescriptor>,
    headers: &HeaderMap,
    message: &mut DynamicMessage,
    faults: &mut Faults,
) -> bool {
    let Some(field) = field else { return false };
    let is_given = message.has_field(field);
    for line in headers.get_all(IDEMPOTENCY_KEY) {
        let Ok(key) = line.to_str() else {
            faults.invalid("Idempotency-Key", "must be visible ASCII characters");
            continue;
        };
        let key = unquote(key);
        match message.get_field(field).as_str() {
            Some(given) if !given.is_empty() && !is_same_key(given, key) => {
                faults.conflict("Idempotency-Key", "differs from what is given already");
            }
            // Refused types cannot occur: the field was checked to be a string.
            Some("") | None => drop(message.try_set_field(field, Value::String(key.to_owned()))),
            Some(_) => {}
        }
    }
    !is_given && message.has_field(field)
}

/// Whether two keys name the same request: the digits of a UUID may be written in either case (RFC 9562, 4).
pub fn is_same_key(one: &str, other: &str) -> bool {
    let (one, other) = (unquote(one), unquote(other));
    is_same_text(one, other)
}

/// Whether two values are the same, which a UUID is in either case.
pub(crate) fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => is_same_text(one, other),
        _ => one == other,
    }
}

fn is_same_text(one: &str, other: &str) -> bool {
    one == other || (is_uuid(one) && one.eq_ignore_ascii_case(other))
}

fn is_uuid(text: &str) -> bool {
    let is_hyphen = |at| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, u8)| if is_hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_what_they_name() {
        let check = |one: &str, other: &str, same| assert_eq!(is_same_key(one, other), same, "{one} {other}");
        let (lower, upper) = ("0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e", "0198C7A2-6D3E-7C51-9C0E-3A4F5B6C7D8E");
        check(lower, lower, true);
        check(lower, upper, true);
        check(lower, &format!("\"{upper}\""), true);
        check(" a", "\"a\"", true);
        check("a", "A", false);
        check(lower, &upper.replace('8', "9"), false);
        check(&lower.replace('-', "a"), &upper.replace('-', "A"), false);
    }
}
