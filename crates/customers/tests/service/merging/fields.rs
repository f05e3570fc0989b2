//! What a winner takes from the record that goes into it.

use crm_proto::attributes::AttributeDefinition;
use crm_proto::customers as pb;
use crm_proto::google::r#type::Money;
use crm_server::token::Role;

use super::{manager, merge_accounts, merge_contacts, of, reason, response};
use crate::attributes::{define, string, text};
use crate::support::{account, contact, world};

#[tokio::test]
async fn nothing_is_taken_that_was_not_asked_for() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let winner = agent.create_account(account("Acme")).await.unwrap();
    let rich = |domain: &str| pb::Account {
        domain: domain.to_owned(),
        industry: "retail".to_owned(),
        employees: Some(7),
        annual_revenue: Some(Money { currency_code: "EUR".to_owned(), units: 12, nanos: 0 }),
        ..account("Acme Retail")
    };
    let loser = agent.create_account(rich("acme.example")).await.unwrap();
    let merged: pb::Account = response(&merge_accounts(&manager, of(&winner.id, &loser.id, &[])).await);
    assert_eq!(merged, winner);

    // What only one may have goes over in the same moment; what the other has no value for stays.
    let other = agent.create_account(pb::Account { country: String::new(), ..rich("rich.example") }).await.unwrap();
    let patched = pb::Account { id: winner.id.clone(), country: "Peru".to_owned(), ..Default::default() };
    agent.update_account(patched, &["country"]).await.unwrap();
    let take = ["domain", "employees", "country", "annual_revenue"];
    let merged: pb::Account = response(&merge_accounts(&manager, of(&winner.id, &other.id, &take)).await);
    assert_eq!((merged.domain.as_str(), merged.employees, merged.country.as_str()), ("rich.example", Some(7), "Peru"));
    assert_eq!((merged.annual_revenue.clone(), merged.industry.as_str()), (other.annual_revenue, ""));
    assert_eq!(merged.name, "Acme");
    assert_eq!(agent.get_account(&winner.id).await.unwrap(), merged);
    // The domain of the first one is free.
    agent.create_account(rich("acme.example")).await.unwrap();
}

#[tokio::test]
async fn lists_are_united_and_everything_can_be_taken() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let acme = agent.create_account(account("Acme")).await.unwrap().id;
    let other = agent.create_account(account("Other")).await.unwrap().id;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let emails = |account: &str, emails: &[&str]| pb::Contact { emails: texts(emails), ..contact(account, "Love") };
    let winner = agent.create_contact(emails(&acme, &["b@x.example", "a@x.example"])).await.unwrap();
    let loser = pb::Contact {
        given_name: "Ada".to_owned(),
        phones: texts(&["+4930123456"]),
        ..emails(&other, &["c@x.example", "a@x.example"])
    };
    let loser = agent.create_contact(loser).await.unwrap();
    let merged: pb::Contact = response(&merge_contacts(&manager, of(&winner.id, &loser.id, &["*"])).await);
    assert_eq!(merged.emails, ["b@x.example", "a@x.example", "c@x.example"]);
    assert_eq!((merged.given_name.as_str(), merged.phones.len()), ("Ada", 1));
    // Where it works is fixed.
    assert_eq!(merged.account_id, acme);
    let by_email = pb::ListContactsRequest { filter: "email = \"c@x.example\"".to_owned(), ..Default::default() };
    let found = crate::support::call!(agent, contacts.list_contacts(by_email)).unwrap().contacts;
    assert_eq!(found, [merged]);

    let many = |letter: &str| (0..6).map(|n| format!("{letter}{n}@x.example")).collect::<Vec<_>>();
    let one = agent.create_contact(pb::Contact { emails: many("y"), ..contact(&acme, "Many") }).await.unwrap();
    let two = agent.create_contact(pb::Contact { emails: many("z"), ..contact(&acme, "Many") }).await.unwrap();
    let refused = merge_contacts(&manager, of(&one.id, &two.id, &["emails"])).await;
    assert_eq!(reason(&refused), "FIELDS_INVALID");
    // Nothing has come of it.
    assert_eq!(agent.get_contact(&two.id).await.unwrap(), two);
    response::<pb::Contact>(&merge_contacts(&manager, of(&one.id, &two.id, &["phones"])).await);
}

#[tokio::test]
async fn attributes_of_both_are_one_map_that_is_no_larger_than_any() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let admin = world.service.caller("acme", Role::Admin);
    let keys = |letter: &str| (0..5).map(|n| format!("{letter}{n}")).collect::<Vec<_>>();
    for key in [keys("a"), keys("b")].concat() {
        define(&admin, AttributeDefinition { max_length: Some(1_000), ..text(&key) }).await.unwrap();
    }
    let with = |keys: &[String], value: &str| {
        let attributes = keys.iter().map(|key| (key.clone(), string(value))).collect();
        pb::Account { attributes, ..account("Acme") }
    };
    // Of each alone there is room: 10 kB, as this letter has two bytes.
    let one = agent.create_account(with(&keys("a"), &"ä".repeat(1_000))).await.unwrap();
    let two = agent.create_account(with(&keys("b"), &"ö".repeat(1_000))).await.unwrap();
    let refused = merge_accounts(&manager, of(&one.id, &two.id, &["attributes"])).await;
    assert_eq!(reason(&refused), "FIELDS_INVALID");
    // Nothing has come of it, and without them it does.
    assert_eq!(agent.get_account(&two.id).await.unwrap(), two);
    let merged: pb::Account = response(&merge_accounts(&manager, of(&one.id, &two.id, &["industry"])).await);
    assert_eq!(merged.attributes, one.attributes);
    let small = agent.create_account(with(&[keys("a"), keys("b")].concat()[3..7], "x")).await.unwrap();
    let merged: pb::Account = response(&merge_accounts(&manager, of(&one.id, &small.id, &["attributes"])).await);
    let united = one.attributes.clone().into_iter().chain(small.attributes.clone()).collect();
    assert_eq!(merged.attributes, united, "the loser's where both have one");
}
