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

fn named<M: Resource>(paths: &[String], found: &mut Violations) -> Vec<&'static str> {
    if paths.len() > MOST_PATHS {
        found.add("update_mask", Flaw::new(Flaw::TOO_LONG, "must have at most 100 paths"));
    }
    let mut fields = Vec::new();
    for (index, path) in paths.iter().take(MOST_PATHS).enumerate() {
        match M::FIELDS.iter().find(|field| *field == path) {
            Some(field) if fields.contains(field) => {}
            Some(field) => fields.push(*field),
            None if M::OUTPUT_ONLY.contains(&path.as_str()) => {}
            None => found.add(&format!("update_mask.paths[{index}]"), unknown()),
        }
    }
    fields
}

fn unknown() -> Flaw {
    Flaw::new(Flaw::UNKNOWN_FIELD, "must name a whole field of the resource, or be \"*\" alone")
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
        check(Some(&["*"]), &["given_name", "family_name", "title", "emails", "phones", "owner"], false);
        check(Some(&["owner", "title", "owner"]), &["owner", "title"], false);
        check(Some(&["etag", "update_time", "account_id", "title"]), &["account_id", "title"], false);
        check(Some(&["title", "*"]), &["title"], true);
        check(Some(&["ttile"]), &[], true);
        check(Some(&["title.first"]), &[], true);
        check(Some(&["title\0"]), &[], true);
        check(Some(&["Title"]), &[], true);
    }

    #[test]
    fn endless_masks_are_refused() {
        let paths = vec!["title"; 101];
        check(Some(&paths), &["title"], true);
    }
}
