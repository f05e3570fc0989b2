//! Tags of products and opportunities.

mod calls;

use crm_resource::Kind;
use crm_resource::tags::{self, Keeper, kind};

/// Whose tags.
#[derive(Debug, Clone)]
pub struct OfSales;

impl Keeper for OfSales {
    const KIND: &'static Kind = &kind("sales.tags");
}

/// The resource.
pub type Tag = tags::Tag<OfSales>;
