//! Saved views of this service's lists.

mod calls;

use crm_resource::views::{self, Keeper, kind};
use crm_resource::{AnyResource, Kind};

use crate::{OfCustomers, SERVICE};

impl Keeper for OfCustomers {
    const KIND: &'static Kind = &kind("customers.saved_views");

    fn lists() -> &'static [AnyResource] {
        SERVICE.resources()
    }
}

/// The resource.
pub type SavedView = views::SavedView<OfCustomers>;
