//! Which records may be the same, and why.

use crm_proto::customers as pb;
use crm_proto::search::Duplicate;

use super::person;
use crate::support::{Caller, World, account, call, violations, world};

type Told = Vec<(String, i32, Vec<String>)>;

fn told(duplicates: Vec<Duplicate>) -> Told {
    let reasons = |duplicate: &Duplicate| duplicate.reasons.iter().map(|reason| reason.reason.clone()).collect();
    duplicates.into_iter().map(|duplicate| (duplicate.title.clone(), duplicate.score, reasons(&duplicate))).collect()
}

async fn like_account(agent: &Caller, account: pb::Account) -> Told {
    let request = pb::FindDuplicateAccountsRequest { account: Some(account), id: String::new() };
    told(call!(agent, search.find_duplicate_accounts(request)).unwrap().duplicates)
}

async fn like_contact(agent: &Caller, contact: pb::Contact) -> Told {
    let request = pb::FindDuplicateContactsRequest { contact: Some(contact), id: String::new() };
    told(call!(agent, search.find_duplicate_contacts(request)).unwrap().duplicates)
}

fn expected(rows: &[(&str, i32, &[&str])]) -> Told {
    let texts = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect();
    rows.iter().map(|(title, score, reasons)| ((*title).to_owned(), *score, texts(reasons))).collect()
}

fn at(name: &str, domain: &str) -> pb::Account {
    pb::Account { domain: domain.to_owned(), ..account(name) }
}

async fn filled() -> (World, String, String) {
    let world = world().await;
    let mut ids = Vec::new();
    for (name, domain) in [("Acme Ltd.", "acme.example"), ("Globex", "globex.example"), ("The Initech", "")] {
        ids.push(world.agent.create_account(at(name, domain)).await.unwrap().id);
    }
    (world, ids.remove(0), ids.remove(0))
}

#[tokio::test]
async fn accounts_are_alike_by_domain_and_by_name() {
    let (world, ..) = filled().await;
    for (draft, alike) in [
        (at("Acme", ""), expected(&[("Acme Ltd.", 70, &["SAME_NAME"])])),
        (at("ACME GmbH & Co. KG", "acme.example"), expected(&[("Acme Ltd.", 97, &["SAME_DOMAIN", "SAME_NAME"])])),
        (at("Something", "acme.example"), expected(&[("Acme Ltd.", 90, &["SAME_DOMAIN"])])),
        (at("Something", "www.eu.acme.example"), expected(&[("Acme Ltd.", 50, &["RELATED_DOMAIN"])])),
        (at("Globex International", ""), expected(&[("Globex", 40, &["SIMILAR_NAME"])])),
        (at("Golbex", ""), expected(&[("Globex", 40, &["SIMILAR_NAME"])])),
        (at("Xlobex", ""), expected(&[("Globex", 40, &["SIMILAR_NAME"])])),
        (at("Golbex", "mail.globex.example"), expected(&[("Globex", 70, &["RELATED_DOMAIN", "SIMILAR_NAME"])])),
        (at("Initech", ""), Vec::new()),
        (at("Other", "other.example"), Vec::new()),
        (at("!!!", ""), Vec::new()),
        // Nothing to compare.
        (pb::Account { owner: "ada".to_owned(), ..Default::default() }, Vec::new()),
    ] {
        assert_eq!(like_account(&world.agent, draft.clone()).await, alike, "{} {}", draft.name, draft.domain);
    }
}

#[tokio::test]
async fn contacts_are_alike_by_address_number_and_name() {
    let (world, acme, globex) = filled().await;
    let ada = person(&acme, "Ada", "Lovelace", "ada@acme.example", "+442079460018");
    world.agent.create_contact(ada).await.unwrap();
    let mut other = person(&globex, "Jonathan", "Smith", "jon+news@globex.example", "+14155550123");
    other.emails.push("jonathan@home.example".to_owned());
    world.agent.create_contact(other).await.unwrap();
    for (draft, alike) in [
        (
            person(&globex, "Someone", "Else", "ADA@acme.example", ""),
            expected(&[("Ada Lovelace", 92, &["SAME_EMAIL", "SAME_EMAIL_DOMAIN"])]),
        ),
        (
            person("", "Someone", "Else", "jon@globex.example", ""),
            expected(&[("Jonathan Smith", 84, &["SAME_MAILBOX", "SAME_EMAIL_DOMAIN"])]),
        ),
        (
            person("", "Someone", "Else", "jon+x@globex.example", ""),
            expected(&[("Jonathan Smith", 84, &["SAME_MAILBOX", "SAME_EMAIL_DOMAIN"])]),
        ),
        (person("", "Some", "One", "", "0044 (0)20 7946 0018"), expected(&[("Ada Lovelace", 60, &["SAME_PHONE"])])),
        (person("", "LOVELACE", "Ada", "", ""), expected(&[("Ada Lovelace", 50, &["SAME_NAME"])])),
        (person(&acme, "Ada", "Lovelace", "", ""), expected(&[("Ada Lovelace", 65, &["SAME_NAME", "SAME_ACCOUNT"])])),
        (person("", "Jon", "Smith", "", ""), expected(&[("Jonathan Smith", 35, &["SIMILAR_NAME"])])),
        (person("", "Ada", "Lovelcae", "", ""), expected(&[("Ada Lovelace", 35, &["SIMILAR_NAME"])])),
        (
            person(&acme, "Ada", "Lovelcae", "a@acme.example", "+442079460018"),
            expected(&[("Ada Lovelace", 85, &["SAME_PHONE", "SIMILAR_NAME", "SAME_ACCOUNT", "SAME_EMAIL_DOMAIN"])]),
        ),
        // Colleagues have an account and a domain in common, and are not the same.
        (person(&acme, "Grace", "Hopper", "grace@acme.example", ""), Vec::new()),
        (person("", "", "", "", ""), Vec::new()),
    ] {
        let name = format!("{} {} {:?}", draft.given_name, draft.family_name, draft.emails);
        assert_eq!(like_contact(&world.agent, draft).await, alike, "{name}");
    }
}

#[tokio::test]
async fn one_that_is_there_is_not_its_own_duplicate_and_what_is_deleted_is_none() {
    let (world, acme, _) = filled().await;
    let ada = person(&acme, "Ada", "Lovelace", "ada@acme.example", "");
    let one = world.agent.create_contact(ada.clone()).await.unwrap();
    let other = world.agent.create_contact(ada).await.unwrap();
    let request = || pb::FindDuplicateContactsRequest { contact: None, id: one.id.clone() };
    let found = call!(world.agent, search.find_duplicate_contacts(request())).unwrap().duplicates;
    assert_eq!(found.iter().map(|found| (&found.id, found.score)).collect::<Vec<_>>(), [(&other.id, 97)]);
    world.agent.delete_contact(&other.id, "").await.unwrap();
    assert_eq!(call!(world.agent, search.find_duplicate_contacts(request())).unwrap().duplicates, []);
}

#[tokio::test]
async fn candidates_are_bounded_and_the_likeliest_come_first() {
    let (world, acme, _) = filled().await;
    for number in 0..40 {
        let email = if number == 39 { "ada@acme.example".to_owned() } else { format!("ada{number}@x.example") };
        world.agent.create_contact(person(&acme, "Ada", "Lovelace", &email, "")).await.unwrap();
    }
    let found = like_contact(&world.agent, person(&acme, "Ada", "Lovelace", "ada@acme.example", "")).await;
    assert_eq!((found.len(), found[0].1), (10, 97));
    assert!(found[1..].iter().all(|(_, score, _)| *score == 65), "{found:?}");
}

#[tokio::test]
async fn drafts_are_checked_as_far_as_they_are_there() {
    let (world, acme, _) = filled().await;
    let ask = async |account: Option<pb::Account>, id: &str| {
        let request = pb::FindDuplicateAccountsRequest { account, id: id.to_owned() };
        violations(call!(world.agent, search.find_duplicate_accounts(request)))
    };
    assert_eq!(ask(None, "x").await, ["id"]);
    let wrong = at("a\nb", "no domain");
    assert_eq!(ask(Some(wrong), "x").await, ["id", "account.name", "account.domain"]);
    let ask = async |account: Option<pb::Account>, id: &str| {
        let request = pb::FindDuplicateAccountsRequest { account, id: id.to_owned() };
        told(call!(world.agent, search.find_duplicate_accounts(request)).unwrap().duplicates)
    };
    assert_eq!(ask(None, "").await, Vec::new());
    // What is being changed is not its own duplicate, whatever it is to be.
    assert_eq!(ask(Some(account("Acme")), &acme).await, Vec::new());
    assert_eq!(ask(Some(account("Globex")), &acme).await, expected(&[("Globex", 70, &["SAME_NAME"])]));
}
