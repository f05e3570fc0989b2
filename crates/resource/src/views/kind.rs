//! What saved views of all services have in common as a kind of resource.

use crm_database::migrate::Copied;
use tonic::Code;

use crate::{Filter, Kind, Order, Refusal};

/// There is no such view, or it is somebody else's alone.
pub const NOT_FOUND: Refusal = Refusal::not_found("SAVED_VIEW_NOT_FOUND", "there is no such saved view");
/// The view to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("SAVED_VIEW_NOT_DELETED", "the saved view is not deleted");
/// Everybody sees it, and not everybody may change it.
pub const NOT_YOURS: Refusal = Refusal {
    code: Code::PermissionDenied,
    reason: "SAVED_VIEW_NOT_YOURS",
    text: "the saved view is somebody else's: they, a manager or an admin may change it",
};
/// The caller has too many.
pub const TOO_MANY: Refusal =
    Refusal::failed_precondition("TOO_MANY_SAVED_VIEWS", "you have 100 saved views: delete one first");
/// The tenant has too many that are shared.
pub const TOO_MANY_SHARED: Refusal =
    Refusal::failed_precondition("TOO_MANY_SHARED_VIEWS", "there are 200 shared views: delete one first");

/// The table and its policies, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "saved views",
    sql: include_str!("../../sql/saved_views.sql"),
    relations: &["saved_views"],
    functions: &[],
};

/// Who sees a view: what the API calls it, and what is stored.
pub(super) const VISIBILITIES: &[(&str, &str)] = &[("VISIBILITY_PRIVATE", PRIVATE), ("VISIBILITY_SHARED", SHARED)];
pub(super) const PRIVATE: &str = "private";
pub(super) const SHARED: &str = "shared";

const FILTERS: &[Filter] = &[
    Filter::text("resource", "resource", as_it_is),
    Filter::choice("visibility", "visibility", VISIBILITIES),
    Filter::text("owner", "owner", as_it_is),
    Filter::name("name", "name_key"),
    Filter::since("update_time"),
];

const ORDERS: &[Order] = &[Order::text("name", "name_key"), Order::time("update_time")];

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Saved views in `table`, which is `saved_views` in the service's schema.
pub const fn kind(table: &'static str) -> Kind {
    Kind {
        filters: FILTERS,
        orders: ORDERS,
        private: true,
        copy_of: Some(&TABLE),
        // A few for each user, read when a screen is opened.
        cache_bytes: 1 << 20,
        ..Kind::new("saved_views", table, &NOT_FOUND, &NOT_DELETED)
    }
}
