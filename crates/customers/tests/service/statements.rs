//! The whole text of each statement, to be read.

use crm_customers::activities::OfCustomers;
use crm_customers::{SERVICE, accounts, contacts};
use crm_resource::activities;
use crm_resource::testkit::check_statements;

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_activities = activities::statements::<OfCustomers>();
    let of_activities = of_activities.iter().map(|(name, sql)| (*name, sql.as_str()));
    let own = [
        ("lock_hierarchy", accounts::LOCK_HIERARCHY),
        ("share_hierarchy", accounts::SHARE_HIERARCHY),
        ("find_ancestors", accounts::ANCESTORS),
        ("find_height", accounts::HEIGHT),
        ("find_subsidiary", accounts::SUBSIDIARY),
        ("find_contact_of_account", contacts::OF_ACCOUNT),
    ];
    let own: Vec<_> = own.into_iter().chain(of_activities).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
