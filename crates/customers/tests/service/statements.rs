//! The whole text of each statement, to be read.

use crm_customers::activities::OfCustomers;
use crm_customers::{SERVICE, accounts, contacts, imports, saved_views};
use crm_resource::testkit::check_statements;
use crm_resource::{activities, views};

use crate::support::app;

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_activities = activities::statements::<OfCustomers>();
    let of_views = views::statements::<saved_views::OfCustomers>();
    let of_imports = crm_resource::imports::statements(app::SCHEMA);
    let of_house = of_activities.iter().chain(&of_views).chain(&of_imports).map(|(name, sql)| (*name, sql.as_str()));
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
    let own: Vec<_> = own.into_iter().chain(of_house).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
