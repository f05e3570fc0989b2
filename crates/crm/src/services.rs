//! The services of the platform: the one place that names them all.
//!
//! Roles, migrations, passwords, addresses, routes, state, seeding and the list of errors follow from this table. What
//! stands elsewhere because it is no Rust (the containers, the documents) is held against it by a house rule.

use crm_resource::{Service, Storage};

/// In the order in which they are started, migrated and seeded.
pub(crate) static ALL: [&Service; 2] = [&crm_customers::SERVICE, &crm_sales::SERVICE];

/// Those that keep something, with what they keep.
pub(crate) fn storages() -> impl Iterator<Item = (&'static Service, &'static Storage)> {
    ALL.into_iter().filter_map(|service| Some((service, service.storage()?)))
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    ALL.into_iter().find(|service| service.name == name)
}
