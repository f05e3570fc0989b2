//! Tags of accounts and contacts.

mod calls;

use crm_resource::Kind;
use crm_resource::tags::{self, Keeper, kind};

/// Whose tags.
#[derive(Debug, Clone)]
pub struct OfCustomers;

impl Keeper for OfCustomers {
    const KIND: &'static Kind = &kind("customers.tags");
}

/// The resource.
pub type Tag = tags::Tag<OfCustomers>;
