//! From what a request says of a record's attributes to what is stored of them.

use crm_proto::standard::Attributes;
use crm_values::Flaw;

use super::known::Known;
use super::rules::is_key;
use super::values::{Values, shown};
use crate::Violations;

/// Most bytes of all values of a record, as JSON.
const MOST_BYTES: usize = 16 * 1024;

/// What is known while a request is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    /// What the tenant has defined. Where it is not known yet, values are taken as they are, and checked before they are
    /// written.
    pub known: Option<&'a Known>,
    /// Which values are meant; all of them, where nothing is said.
    pub keys: Option<&'a [String]>,
}

/// The values after a change of those that are meant. What is as it was is not looked at: it may be older than a rule.
/// Values of deleted definitions stay: who does not see them cannot mean them.
pub(crate) fn read(
    path: &str,
    stored: &Values,
    message: &Attributes,
    given: Given<'_>,
    is_new: bool,
    found: &mut Violations,
) -> Values {
    let Some(known) = given.known else {
        let values = unchecked(message);
        check_size(path, stored, &values, found);
        return values;
    };
    let mut values = stored.clone();
    match given.keys {
        Some(keys) => keys.iter().for_each(|key| change(path, known, &mut values, key, message.get(key), found)),
        None => {
            let left_out = known.iter().filter(|attribute| !message.contains_key(&attribute.key));
            left_out.for_each(|attribute| change(path, known, &mut values, &attribute.key, None, found));
            message.iter().for_each(|(key, value)| change(path, known, &mut values, key, Some(value), found));
        }
    }
    if is_new {
        check_required(path, known, &values, found);
    }
    check_size(path, stored, &values, found);
    values
}

fn check_size(path: &str, stored: &Values, values: &Values, found: &mut Violations) {
    if values.bytes() > MOST_BYTES && values.bytes() > stored.bytes() {
        found.add(path, Flaw::new(Flaw::TOO_LONG, "must have at most 16 KiB, as JSON"));
    }
}

/// The rules for a record that is new, of values that were read without them.
pub(crate) fn check_all(path: &str, known: &Known, values: Values, found: &mut Violations) -> Values {
    let message = values.shown();
    read(path, &Values::default(), &message, Given { known: Some(known), keys: None }, true, found)
}

fn change(
    path: &str,
    known: &Known,
    values: &mut Values,
    key: &str,
    value: Option<&prost_types::Value>,
    found: &mut Violations,
) {
    if value.is_some_and(|value| values.0.get(key).is_some_and(|stored| shown(stored.clone()) == *value)) {
        return;
    }
    if !is_key(key) {
        return found.add(path, Flaw::malformed("must have keys of small letters, digits and _, up to 40 of them"));
    }
    let path = format!("{path}.{key}");
    let Some(attribute) = known.find(key) else {
        return found.add(&path, Flaw::new(Flaw::UNKNOWN_FIELD, "is no attribute that is defined for these records"));
    };
    let flaw = match value.map(|value| attribute.read(value)).transpose() {
        Ok(Some(Some(value))) => return drop(values.0.insert(key.to_owned(), value)),
        Ok(_) if values.0.remove(key).is_none() || !attribute.required => return,
        Ok(_) => Flaw::missing(),
        Err(flaw) => flaw,
    };
    found.add(&path, flaw);
}

fn check_required(path: &str, known: &Known, values: &Values, found: &mut Violations) {
    for attribute in known.iter().filter(|attribute| attribute.required) {
        let path = format!("{path}.{}", attribute.key);
        if values.get(&attribute.key).is_none() && found.is_clear(&path) {
            found.add(&path, Flaw::missing());
        }
    }
}

/// Values that nothing can be said of yet; null is none.
fn unchecked(message: &Attributes) -> Values {
    let values = message.iter().map(|(key, value)| (key.clone(), crm_proto::standard::any_json(value)));
    Values(values.filter(|(_, value)| !value.is_null()).collect())
}
