//! Activities on opportunities.

mod calls;

use crm_resource::activities::{self, Keeper, kind};
use crm_resource::{Kind, Resource as _};

use crate::opportunities::Opportunity;

/// Whose activities.
#[derive(Debug, Clone)]
pub struct OfSales;

impl Keeper for OfSales {
    const KIND: &'static Kind = &kind("sales.activities", &[Opportunity::KIND]);
}

/// The resource.
pub type Activity = activities::Activity<OfSales>;
