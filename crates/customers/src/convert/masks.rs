//! Update masks (AIP-134, AIP-161).

use crm_values::Flaw;
use prost_types::FieldMask;

use super::violations::Violations;

/// Fields that the service sets: AIP-161 wants them ignored, so that one mask serves reading and writing.
const OUTPUT_ONLY: &[&str] = &["id", "etag", "create_time", "update_time", "delete_time"];

/// Far more than any resource has fields.
const MOST_PATHS: usize = 100;

/// What a mask asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// No mask: the fields that are set.
    Set,
    /// `*`: every field, those that are not set included.
    All,
    /// These paths.
    Paths(Vec<String>),
}

impl Mask {
    /// The mask of a request.
    pub(super) fn of(mask: Option<FieldMask>) -> Self {
        match mask.map(|mask| mask.paths) {
            None => Self::Set,
            Some(paths) if paths.is_empty() => Self::Set,
            Some(paths) if paths == ["*"] => Self::All,
            Some(paths) => Self::Paths(paths),
        }
    }

    /// The fields to change, of `all`; `is_set` tells which have a value in the message.
    pub(super) fn resolve<F: Copy + PartialEq>(
        &self,
        all: &[(&'static str, F)],
        also_known: &[&str],
        is_set: impl Fn(F) -> bool,
        violations: &mut Violations,
    ) -> Vec<F> {
        let every = all.iter().map(|(_, field)| *field);
        match self {
            Self::Set => every.filter(|field| is_set(*field)).collect(),
            Self::All => every.collect(),
            Self::Paths(paths) => named(paths, all, also_known, violations),
        }
    }

    /// Whether the mask names `path`.
    pub(super) fn names(&self, path: &str) -> bool {
        matches!(self, Self::Paths(paths) if paths.iter().any(|named| named == path))
    }
}

fn named<F: Copy + PartialEq>(
    paths: &[String],
    all: &[(&'static str, F)],
    also_known: &[&str],
    violations: &mut Violations,
) -> Vec<F> {
    if paths.len() > MOST_PATHS {
        violations.add("update_mask", Flaw::new(Flaw::TOO_LONG, "must have at most 100 paths"));
    }
    let mut fields = Vec::new();
    for (index, path) in paths.iter().take(MOST_PATHS).enumerate() {
        match all.iter().find(|(name, _)| name == path) {
            Some((_, field)) if fields.contains(field) => {}
            Some((_, field)) => fields.push(*field),
            None if OUTPUT_ONLY.contains(&path.as_str()) || also_known.contains(&path.as_str()) => {}
            None => violations.add(&format!("update_mask.paths[{index}]"), unknown()),
        }
    }
    fields
}

fn unknown() -> Flaw {
    Flaw::new(Flaw::UNKNOWN_FIELD, "must name a whole field of the resource, or be \"*\" alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, u8); 3] = [("name", 1), ("domain", 2), ("owner", 3)];

    fn check(paths: Option<&[&str]>, expected: &[u8], faults: bool) {
        let mask = paths.map(|paths| FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() });
        let mut violations = Violations::default();
        let fields = Mask::of(mask).resolve(&FIELDS, &["account_id"], |field| field == 2, &mut violations);
        assert_eq!(fields, expected, "{paths:?}");
        assert_eq!(violations.finish(()).is_err(), faults, "{paths:?}");
    }

    #[test]
    fn masks_name_the_fields_to_change() {
        check(None, &[2], false);
        check(Some(&[]), &[2], false);
        check(Some(&["*"]), &[1, 2, 3], false);
        check(Some(&["owner", "name", "owner"]), &[3, 1], false);
        check(Some(&["etag", "update_time", "account_id", "name"]), &[1], false);
        check(Some(&["name", "*"]), &[1], true);
        check(Some(&["nmae"]), &[], true);
        check(Some(&["name.first"]), &[], true);
        check(Some(&["name\0"]), &[], true);
        check(Some(&["Name"]), &[], true);
    }

    #[test]
    fn endless_masks_are_refused() {
        let paths = vec!["name"; 101];
        check(Some(&paths), &[1], true);
    }
}
