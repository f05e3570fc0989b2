//! Attributes that tenants define for accounts and contacts.

mod calls;

use crm_resource::attributes::{self, Keeper, kind};
use crm_resource::{Kind, Resource as _};

use crate::OfCustomers;
use crate::accounts::Account;
use crate::contacts::Contact;

impl Keeper for OfCustomers {
    const KIND: &'static Kind = &kind("customers.attribute_definitions");
    const OF: &'static [&'static Kind] = &[Account::KIND, Contact::KIND];
}

/// The resource.
pub type AttributeDefinition = attributes::AttributeDefinition<OfCustomers>;
