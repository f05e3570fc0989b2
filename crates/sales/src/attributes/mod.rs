//! Attributes that tenants define for products and opportunities.

mod calls;

use crm_resource::attributes::{self, Keeper, kind};
use crm_resource::{Kind, Resource as _};

use crate::opportunities::Opportunity;
use crate::products::Product;

/// Whose attributes.
#[derive(Debug, Clone)]
pub struct OfSales;

impl Keeper for OfSales {
    const KIND: &'static Kind = &kind("sales.attribute_definitions");
    const OF: &'static [&'static Kind] = &[Product::KIND, Opportunity::KIND];
}

/// The resource.
pub type AttributeDefinition = attributes::AttributeDefinition<OfSales>;
