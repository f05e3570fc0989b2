//! What definitions of all services have in common as a kind of resource.

use crm_database::migrate::Copied;

use crate::{Filter, Kind, Order, Refusal};

/// There is no such definition.
pub const NOT_FOUND: Refusal =
    Refusal::not_found("ATTRIBUTE_DEFINITION_NOT_FOUND", "there is no such definition of an attribute");
/// The definition to be brought back is there.
pub const NOT_DELETED: Refusal =
    Refusal::already_exists("ATTRIBUTE_DEFINITION_NOT_DELETED", "the definition of the attribute is not deleted");
/// A key belongs to one definition, and to a deleted one as well: records may have values of its type.
pub const KEY_TAKEN: Refusal = Refusal::already_exists(
    "ATTRIBUTE_KEY_TAKEN",
    "another definition of the resource has this key, or had it and is deleted: undelete that one, or take another key",
);
/// A resource has so many definitions at most.
pub const TOO_MANY: Refusal = Refusal::failed_precondition(
    "TOO_MANY_ATTRIBUTES",
    "the resource has 50 attributes, and can have no more: delete one first",
);
/// A resource can be filtered by so many at most: each is a row more to write for a record that has it.
pub const TOO_MANY_FILTERABLE: Refusal = Refusal::failed_precondition(
    "TOO_MANY_FILTERABLE_ATTRIBUTES",
    "lists of the resource are filtered by 10 attributes, and can be by no more: end the filter of one first",
);

/// Not all records have their facets by now.
pub const FILTER_NOT_READY: Refusal = Refusal::failed_precondition(
    "ATTRIBUTE_FILTER_NOT_READY",
    "the records are still gone through: the filter is ready when MakeAttributeFilterable has ended",
);
/// Somebody ended the filter that records were gone through for, or began anew.
pub const FILTER_ENDED: Refusal = Refusal::aborted(
    "ATTRIBUTE_FILTER_ENDED",
    "the filter was ended or begun anew while the records were gone through",
);

pub(super) const MOST: i64 = 50;
pub(super) const MOST_FILTERABLE: i64 = 10;

/// The tables and their policies, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "attributes",
    sql: include_str!("../../sql/attributes.sql"),
    relations: &["attribute_sets", "attribute_definitions"],
    functions: &[],
};

const FILTERS: &[Filter] = &[Filter::text("resource", "resource", str::to_owned), Filter::since("update_time")];
const ORDERS: &[Order] = &[Order::text("key", "key"), Order::time("update_time")];

/// Definitions in `table`, which is `attribute_definitions` in the service's schema.
pub const fn kind(table: &'static str) -> Kind {
    Kind {
        filters: FILTERS,
        orders: ORDERS,
        constraints: &[("attribute_definitions_key_key", &KEY_TAKEN)],
        copy_of: Some(&TABLE),
        // Few, and read by those who show or make forms; records are checked by what `Sets` keeps.
        cache_bytes: 1 << 20,
        ..Kind::new("attribute_definitions", table, &NOT_FOUND, &NOT_DELETED)
    }
}
