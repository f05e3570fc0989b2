//! The whole text of each statement, to be read.

use crm_customers::OfCustomers;
use crm_customers::accounts::Account;
use crm_customers::activities::Activity;
use crm_customers::contacts::Contact;
use crm_customers::{SERVICE, accounts, contacts, imports};
use crm_resource::testkit::check_statements;
use crm_resource::{Resource, activities, merge, views};

use crate::support::app;

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_activities = activities::statements::<OfCustomers>();
    let of_views = views::statements::<OfCustomers>();
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
        ("find_domain_holder", accounts::DOMAIN_HOLDER),
    ];
    let (accounts, contacts, activities) = (Account::KIND, Contact::KIND, Activity::KIND);
    let of_accounts = " and parent_resource = 'accounts'";
    let children = [(contacts, "account_id", ""), (accounts, "parent_id", ""), (activities, "parent_id", of_accounts)];
    let of_merges = merge::statements(&[accounts, contacts], &children);
    let of_merges = of_merges.iter().map(|(name, sql)| (name.as_str(), sql.as_str()));
    let own: Vec<_> = own.into_iter().chain(of_house).chain(of_merges).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
