//! Tags of accounts and contacts.

mod calls;

use crm_resource::Kind;
use crm_resource::tags::{self, Keeper, kind};

use crate::OfCustomers;

impl Keeper for OfCustomers {
    const KIND: &'static Kind = &kind("customers.tags");
}

/// The resource.
pub type Tag = tags::Tag<OfCustomers>;
