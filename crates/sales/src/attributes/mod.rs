//! Attributes that tenants define for products.

mod calls;

use crm_resource::attributes::{self, Keeper, kind};
use crm_resource::{Kind, Resource as _};

use crate::products::Product;

/// Whose attributes.
#[derive(Debug, Clone)]
pub struct OfSales;

impl Keeper for OfSales {
    const KIND: &'static Kind = &kind("sales.attribute_definitions");
    const OF: &'static [&'static Kind] = &[Product::KIND];
}

/// The resource.
pub type AttributeDefinition = attributes::AttributeDefinition<OfSales>;
