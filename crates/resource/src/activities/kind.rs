//! What activities of all services have in common as a kind of resource.

use crm_database::migrate::Copied;
use crm_values::text_key;

use crate::{Filter, Kind, Order, Refusal};

/// There is no such activity.
pub const NOT_FOUND: Refusal = Refusal::not_found("ACTIVITY_NOT_FOUND", "there is no such activity");
/// The activity to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("ACTIVITY_NOT_DELETED", "the activity is not deleted");
/// The record that it is about is not there.
pub const PARENT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("ACTIVITY_PARENT_NOT_FOUND", "there is no such record for the activity");

/// The table and its policies, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "activities",
    sql: include_str!("../../sql/activities.sql"),
    relations: &["activities"],
    functions: &[],
};

/// Kinds of activity: what the API calls them, and what is stored.
pub(super) const KINDS: &[(&str, &str)] =
    &[("KIND_NOTE", "note"), ("KIND_CALL", "call"), ("KIND_MEETING", "meeting"), ("KIND_TASK", "task")];

const FILTERS: &[Filter] = &[
    Filter::choice("kind", "kind", KINDS),
    Filter::parent("parent_id"),
    Filter::text("owner", "owner_key", text_key),
    Filter::truth("done"),
    Filter::time("due_time"),
    Filter::since("update_time"),
];

const ORDERS: &[Order] = &[Order::time("create_time"), Order::time("update_time")];

/// Activities in `table`, which is `activities` in the service's schema, on records of these kinds.
pub const fn kind(table: &'static str, parents: &'static [&'static Kind]) -> Kind {
    Kind {
        filters: FILTERS,
        orders: ORDERS,
        parents,
        copy_of: Some(&TABLE),
        ..Kind::new("activities", table, &NOT_FOUND, &NOT_DELETED)
    }
}
