//! The whole text of each statement, to be read.

use crm_customers::activities::OfCustomers;
use crm_customers::{SERVICE, accounts, contacts, imports};
use crm_resource::activities;
use crm_resource::testkit::check_statements;

use crate::support::app;

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_activities = activities::statements::<OfCustomers>();
    let of_activities = of_activities.iter().map(|(name, sql)| (*name, sql.as_str()));
    let of_imports = crm_resource::imports::statements(app::SCHEMA);
    let of_imports = of_imports.iter().map(|(name, sql)| (*name, sql.as_str()));
    let own = [
        ("lock_hierarchy", accounts::LOCK_HIERARCHY),
        ("share_hierarchy", accounts::SHARE_HIERARCHY),
        ("find_ancestors", accounts::ANCESTORS),
        ("find_height", accounts::HEIGHT),
        ("find_subsidiary", accounts::SUBSIDIARY),
        ("find_contact_of_account", contacts::OF_ACCOUNT),
        ("find_accounts_by_domain", imports::BY_DOMAIN),
        ("find_accounts_by_name", imports::BY_NAME),
        ("find_depths", imports::DEPTHS),
        ("find_accounts_in_use", imports::ACCOUNTS_IN_USE),
        ("find_contacts_in_use", imports::CONTACTS_IN_USE),
    ];
    let own: Vec<_> = own.into_iter().chain(of_activities).chain(of_imports).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
