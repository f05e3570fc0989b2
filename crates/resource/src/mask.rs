//! Update masks (AIP-134, AIP-161).

use crm_proto::standard::Resource;
use crm_values::Flaw;
use prost_types::FieldMask;

use crate::Violations;

/// Far more than any resource has fields.
const MOST_PATHS: usize = 100;

/// The fields to change: those that are set where there is no mask, all of them for `*`, else those that are named.
///
/// A field that is fixed at creation is meant where it is named or, without paths, where it has a value: it can then be
/// told whether it is the same.
pub(crate) fn resolve<M: Resource>(mask: Option<FieldMask>, message: &M, found: &mut Violations) -> Vec<&'static str> {
    let every = M::FIELDS.iter().copied();
    match mask.map(|mask| mask.paths).unwrap_or_default().as_slice() {
        [] => every.filter(|field| message.is_set(field)).collect(),
        [path] if path == "*" => every.filter(|it| !M::IMMUTABLE.contains(it) || message.is_set(it)).collect(),
        paths => named::<M>(paths, found),
    }
}

/// The keys of attributes that are meant, where not all of them are: those that are set where there is no mask, else those
/// that are named one by one (AIP-161).
pub(crate) fn attribute_keys<M: Resource>(mask: Option<&FieldMask>, message: &M) -> Option<Vec<String>> {
    let given = message.attributes()?;
    match mask.map(|mask| mask.paths.as_slice()).unwrap_or_default() {
        [] => Some(given.keys().cloned().collect()),
        [path] if path == "*" => None,
        paths if paths.iter().any(|path| path == ATTRIBUTES) => None,
        paths => Some(paths.iter().take(MOST_PATHS).filter_map(|path| key_of(path)).map(str::to_owned).collect()),
    }
}

const ATTRIBUTES: &str = "attributes";

/// The key of `attributes.KEY`.
fn key_of(path: &str) -> Option<&str> {
    path.strip_prefix(ATTRIBUTES)?.strip_prefix('.')
}

fn named<M: Resource>(paths: &[String], found: &mut Violations) -> Vec<&'static str> {
    if paths.len() > MOST_PATHS {
        found.add("update_mask", Flaw::new(Flaw::TOO_LONG, "must have at most 100 paths"));
    }
    let mut fields = Vec::new();
    for (index, path) in paths.iter().take(MOST_PATHS).enumerate() {
        let field = if key_of(path).is_some() { ATTRIBUTES } else { path };
        match M::FIELDS.iter().find(|known| **known == field) {
            Some(field) if fields.contains(field) => {}
            Some(field) => fields.push(*field),
            None if M::OUTPUT_ONLY.contains(&path.as_str()) => {}
            None => found.add(&format!("update_mask.paths[{index}]"), unknown()),
        }
    }
    fields
}

fn unknown() -> Flaw {
    Flaw::new(
        Flaw::UNKNOWN_FIELD,
        "must name a whole field of the resource or one of its attributes, or be \"*\" alone",
    )
}

#[cfg(test)]
mod tests {
    use crm_proto::customers::Contact;

    use super::*;

    fn check(paths: Option<&[&str]>, expected: &[&str], faults: bool) {
        let mask = paths.map(|paths| FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() });
        let message = Contact { family_name: "Love".to_owned(), emails: vec!["x".to_owned()], ..Contact::default() };
        let mut found = Violations::default();
        let fields = resolve(mask, &message, &mut found);
        assert_eq!(fields, expected, "{paths:?}");
        assert_eq!(found.finish(()).is_err(), faults, "{paths:?}");
    }

    #[test]
    fn masks_name_the_fields_to_change() {
        check(None, &["family_name", "emails"], false);
        check(Some(&[]), &["family_name", "emails"], false);
        let all = ["given_name", "family_name", "title", "emails", "phones", "owner", "tag_ids", "attributes"];
        check(Some(&["*"]), &all, false);
        check(Some(&["attributes.a", "title", "attributes.b"]), &["attributes", "title"], false);
        check(Some(&["attributesa"]), &[], true);
        check(Some(&["owner", "title", "owner"]), &["owner", "title"], false);
        check(Some(&["etag", "update_time", "account_id", "title"]), &["account_id", "title"], false);
        check(Some(&["title", "*"]), &["title"], true);
        check(Some(&["ttile"]), &[], true);
        check(Some(&["title.first"]), &[], true);
        check(Some(&["title\0"]), &[], true);
        check(Some(&["Title"]), &[], true);
    }

    #[test]
    fn attributes_are_meant_as_a_whole_or_by_their_keys() {
        let check = |paths: &[&str], expected: Option<&[&str]>| {
            let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
            let value = prost_types::Value { kind: None };
            let attributes = [("a".to_owned(), value.clone()), ("b".to_owned(), value)].into();
            let keys = attribute_keys(Some(&mask), &Contact { attributes, ..Contact::default() });
            assert_eq!(keys, expected.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()), "{paths:?}");
        };
        check(&[], Some(&["a", "b"]));
        check(&["*"], None);
        check(&["attributes.c", "attributes"], None);
        check(&["attributes.c", "title", "attributes.a.b"], Some(&["c", "a.b"]));
        check(&["title"], Some(&[]));
    }

    #[test]
    fn endless_masks_are_refused() {
        let paths = vec!["title"; 101];
        check(Some(&paths), &["title"], true);
    }
}
