//! Activities on accounts and contacts.

mod calls;

use crm_resource::activities::{self, Keeper, kind};
use crm_resource::{Kind, Resource as _};

use crate::OfCustomers;
use crate::accounts::Account;
use crate::contacts::Contact;

impl Keeper for OfCustomers {
    const KIND: &'static Kind = &kind("customers.activities", &[Account::KIND, Contact::KIND]);
}

/// The resource.
pub type Activity = activities::Activity<OfCustomers>;
