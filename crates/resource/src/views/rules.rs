//! What a view says, held against the list that it is of: when it is written, and whenever it is read.
//!
//! The list's own parser decides, so a view knows what the list knows. What a filter asks of attributes is held against what
//! the tenant has defined, once that is known.

use std::sync::Arc;

use crm_proto::views as pb;
use crm_values::Flaw;

use super::{Fields, Keeper};
use crate::attributes::{Known, sought};
use crate::{AnyResource, Violations, page};

/// What a tenant has defined for the records of some lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Defined(pub(super) Vec<(&'static str, Arc<Known>)>);

impl Defined {
    pub(super) fn of(&self, list: &AnyResource) -> Option<&Known> {
        self.0.iter().find(|(plural, _)| *plural == list.kind.plural).map(|(_, known)| known.as_ref())
    }
}

/// The list whose attributes a filter asks of.
pub(super) fn asked_of<K: Keeper>(resource: &str, filter: &str) -> Option<&'static AnyResource> {
    list_of::<K>(resource).filter(|list| has_attributes(list) && filter.contains("attributes."))
}

pub(super) fn has_attributes(list: &AnyResource) -> bool {
    is_field(list, "attributes")
}

fn is_field(list: &AnyResource, name: &str) -> bool {
    list.fields.iter().any(|fields| fields.contains(&name))
}

pub(super) fn list_of<K: Keeper>(resource: &str) -> Option<&'static AnyResource> {
    K::lists().iter().find(|list| list.kind.plural == resource)
}

pub(super) fn unknown_list<K: Keeper>() -> Flaw {
    let names: Vec<_> = K::lists().iter().map(|list| list.kind.plural).collect();
    Flaw::new(Flaw::MALFORMED, format!("must be one of {}", names.join(", ")))
}

/// Notes what the list does not understand of a view; of one that was there before, of what has changed.
pub(super) fn check<K: Keeper>(
    now: &Fields,
    before: Option<&Fields>,
    defined: &Defined,
    prefix: &str,
    found: &mut Violations,
) {
    let Some(list) = list_of::<K>(&now.resource) else {
        return found.add(&format!("{prefix}resource"), unknown_list::<K>());
    };
    let is_new = |same: fn(&Fields, &Fields) -> bool| before.is_none_or(|before| !same(now, before));
    if is_new(|now, before| now.filter == before.filter) {
        check_filter(list, &now.filter, defined.of(list), &format!("{prefix}filter"), found);
    }
    if is_new(|now, before| now.order_by == before.order_by) {
        found.check(&format!("{prefix}order_by"), page::parse_order(list.kind, &now.order_by).map(|_| ()));
    }
    for (index, column) in now.columns.iter().enumerate() {
        let was_there = before.is_some_and(|before| before.columns.contains(column));
        if !was_there && !is_shown(list, column) {
            let rule = format!("must name a field of {}", list.kind.plural);
            found.add(&format!("{prefix}columns[{index}]"), Flaw::new(Flaw::UNKNOWN_FIELD, rule));
        }
    }
}

/// As the list would, but for attributes where it is not known which there are.
pub(super) fn check_filter(
    list: &AnyResource,
    filter: &str,
    known: Option<&Known>,
    path: &str,
    found: &mut Violations,
) {
    let conditions = found.check(path, page::parse_filter(list.kind, filter));
    if let Some(known) = known {
        found.check(path, sought(list.kind, known, &conditions).map(|_| ()));
    }
}

/// An etag is for programs. Which attributes there are changes from day to day, and a column without one is empty.
fn is_shown(list: &AnyResource, column: &str) -> bool {
    match column.split_once('.') {
        Some(("attributes", key)) => has_attributes(list) && !key.is_empty(),
        _ => column != "etag" && is_field(list, column),
    }
}

/// The view with what its list does not understand of it.
pub(super) fn told<K: Keeper>(mut view: pb::SavedView, defined: &Defined) -> pb::SavedView {
    let mut found = Violations::default();
    let fields = Fields {
        resource: view.resource.clone(),
        filter: view.filter.clone(),
        order_by: view.order_by.clone(),
        columns: view.columns.clone(),
        ..Fields::default()
    };
    check::<K>(&fields, None, defined, "", &mut found);
    let flaws = found.into_all().into_iter();
    view.flaws = flaws
        .map(|flaw| pb::Flaw { field: flaw.field, reason: flaw.reason.to_owned(), description: flaw.description })
        .collect();
    view
}
