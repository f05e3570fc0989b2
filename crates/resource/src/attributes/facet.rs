//! Values as facets, in a form whose bytes are in the order of the values.
//!
//! What a record's facets are follows from its values alone, so those that go can be told without their definitions: facets
//! of every value that changes are taken away, whether lists are filtered by it or not, and given where they are. So what is
//! left of a filter that was ended is never wrong, and a later filling has to add only.

use ring::digest::{SHA256, digest};
use serde_json::Value;
use uuid::Uuid;

use super::known::Known;
use super::number;
use super::values::Values;

/// Longest text that is a facet as it is. A longer one is its hash: texts are compared for equality alone.
const LONGEST: usize = 400;

/// The facet of a resource's attribute. A key is one attribute for ever, deleted or not.
pub(crate) fn facet_of(resource: &str, key: &str) -> Uuid {
    let hash = digest(&SHA256, format!("attribute {resource}.{key}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Uuid::from_bytes(bytes)
}

/// The facet of an attribute's value, for what writes many records at once.
pub fn facet(resource: &str, key: &str, value: &Value) -> (Uuid, String) {
    (facet_of(resource, key), value_of(value))
}

/// The value of a facet.
pub(crate) fn value_of(value: &Value) -> String {
    match value {
        Value::Number(number) => number_key(number::scaled(number.as_f64().unwrap_or_default()).unwrap_or_default()),
        Value::String(text) => text_value(text),
        // Nothing else is stored.
        _ => String::new(),
    }
}

/// A text that is no longer than a facet may be. One that would begin as a hash does is its hash, too.
pub(crate) fn text_value(text: &str) -> String {
    if text.len() <= LONGEST && !text.starts_with(HASHED) {
        return text.to_owned();
    }
    let hash = digest(&SHA256, text.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HASHED}{hash}")
}

const HASHED: &str = "sha256:";

/// So many thousand millionths: of as many digits as all others, and never negative.
pub(crate) fn number_key(scaled: i128) -> String {
    format!("{:025}", scaled + number::BEYOND)
}

/// Facets of values: those that come and those that go. Known is what the tenant has defined.
pub(crate) fn changes(
    resource: &str,
    known: &Known,
    before: Option<&Values>,
    now: &Values,
) -> [Vec<(Uuid, String)>; 2] {
    let facet = |(key, value): (&str, &Value)| facet(resource, key, value);
    let is_new = |(key, value): &(&str, &Value)| before.and_then(|before| before.get(key)) != Some(*value);
    let filters = |(key, _): &(&str, &Value)| known.find(key).is_some_and(|attribute| attribute.filterable);
    let come = now.iter().filter(is_new).filter(filters).map(facet).collect();
    let is_gone = |(key, value): &(&str, &Value)| now.get(key) != Some(*value);
    let gone = before.into_iter().flat_map(Values::iter).filter(is_gone).map(facet).collect();
    [come, gone]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_in_the_order_of_values() {
        let ordered = [
            json!(-999_999_999_999_999_i64),
            json!(-10),
            json!(-9.5),
            json!(-0.000_000_001),
            json!(0),
            json!(0.000_000_001),
            json!(0.1),
            json!(1),
            json!(9.999_999_999),
            json!(10),
            json!(123_456.789_012_345),
            json!(999_999_999_999_999_i64),
        ];
        let keys: Vec<_> = ordered.iter().map(value_of).collect();
        assert!(keys.is_sorted_by(|one, other| one < other), "{keys:?}");
        assert!(keys.iter().all(|key| key.len() == 25), "{keys:?}");
        assert!(value_of(&json!("2026-11-27")) > value_of(&json!("2026-09-30")));
    }

    #[test]
    fn no_text_is_too_long_for_a_facet_and_no_two_have_the_same() {
        let long = |last: &str| format!("{}{last}", "é".repeat(999));
        let texts = ["", "x", "sha256:", "sha256:00", &"é".repeat(200), &"é".repeat(201), &long("a"), &long("b")];
        let values: Vec<_> = texts.iter().map(|text| text_value(text)).collect();
        assert!(values.iter().all(|value| value.len() <= 400));
        for (index, value) in values.iter().enumerate() {
            assert!(!values[..index].contains(value), "{}", texts[index]);
        }
    }

    #[test]
    fn facets_of_what_changes_go_and_those_of_what_filters_come() {
        let values = |pairs: &[(&str, Value)]| {
            Values(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
        };
        let known: Vec<super::super::KnownAttribute> = serde_json::from_value(json!([
            {"key": "a", "type": "text", "display_name": "", "choices": [], "required": false, "max_length": null,
             "filterable": true, "ready": true},
            {"key": "b", "type": "number", "display_name": "", "choices": [], "required": false, "max_length": null,
             "filterable": false, "ready": true},
        ]))
        .unwrap();
        let known = Known::new(2, known);
        let before = values(&[("a", json!("x")), ("b", json!(1)), ("gone", json!("y")), ("same", json!(3))]);
        let now = values(&[("a", json!("z")), ("b", json!(2)), ("same", json!(3))]);
        let facet = |key: &str, value: &str| (facet_of("accounts", key), value.to_owned());
        let one = number_key(1_000_000_000);
        let [come, gone] = changes("accounts", &known, Some(&before), &now);
        assert_eq!(come, [facet("a", "z")]);
        assert_eq!(gone, [facet("a", "x"), facet("b", &one), facet("gone", "y")]);
        assert_eq!(changes("accounts", &known, None, &now), [vec![facet("a", "z")], Vec::new()]);
        assert_ne!(facet_of("accounts", "a"), facet_of("contacts", "a"));
    }
}
