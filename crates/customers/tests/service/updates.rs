//! Update masks, etags, deletion.

use crm_proto::customers as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{account, contact, refusal, refused, violations, world};

fn full(id: &str) -> pb::Account {
    pb::Account {
        id: id.to_owned(),
        name: "New".to_owned(),
        domain: "new.example".to_owned(),
        employees: Some(7),
        ..Default::default()
    }
}

#[tokio::test]
async fn masks_say_which_fields_change() {
    let world = world().await;
    let old = pb::Account {
        domain: "old.example".to_owned(),
        industry: "retail".to_owned(),
        employees: Some(3),
        founded_year: Some(2000),
        ..account("Old")
    };
    // Mask, then name, domain, industry, employees, year of foundation after the change.
    type Row<'a> = (&'a [&'a str], (&'a str, &'a str, &'a str, Option<i32>, Option<i32>));
    let table: [Row; 7] = [
        (&[], ("New", "new.example", "retail", Some(7), Some(2000))),
        (&["*"], ("New", "new.example", "", Some(7), None)),
        (&["name"], ("New", "old.example", "retail", Some(3), Some(2000))),
        (&["industry"], ("Old", "old.example", "", Some(3), Some(2000))),
        (&["employees", "founded_year"], ("Old", "old.example", "retail", Some(7), None)),
        (&["etag", "create_time", "id"], ("Old", "old.example", "retail", Some(3), Some(2000))),
        (&["domain", "domain"], ("Old", "new.example", "retail", Some(3), Some(2000))),
    ];
    for (mask, expected) in table {
        let created = world.agent.create_account(old.clone()).await.unwrap();
        let updated = world.agent.update_account(full(&created.id), mask).await.unwrap();
        let actual = (updated.name.as_str(), updated.domain.as_str(), updated.industry.as_str());
        assert_eq!((actual.0, actual.1, actual.2, updated.employees, updated.founded_year), expected, "{mask:?}");
        assert_eq!(world.agent.get_account(&created.id).await.unwrap(), updated);
        world.agent.delete_account(&created.id, "").await.unwrap();
    }
}

#[tokio::test]
async fn what_the_mask_does_not_name_is_not_validated() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let broken = pb::Account { domain: "not a domain".to_owned(), ..full(&created.id) };
    assert_eq!(world.agent.update_account(broken.clone(), &["name"]).await.unwrap().name, "New");
    assert_eq!(violations(world.agent.update_account(broken, &["name", "domain"]).await), ["account.domain"]);
    let nameless = pb::Account { name: String::new(), ..full(&created.id) };
    assert_eq!(violations(world.agent.update_account(nameless, &["name"]).await), ["account.name"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_id_is_told_before_anything_is_looked_up() {
    let world = world().await;
    let broken = pb::Account { domain: "not a domain".to_owned(), ..full("7") };
    let all = ["account.id", "account.domain"];
    assert_eq!(violations(world.agent.update_account(broken, &["name", "domain"]).await), all, "all at once");
    // What is fixed has no rule that could be younger than it.
    let nobody = pb::Contact { id: Uuid::now_v7().to_string(), ..contact("7", "Love") };
    let moved = world.agent.update_contact(nobody.clone(), &["account_id"]).await;
    assert_eq!(violations(moved), ["contact.account_id"]);
    let renamed = world.agent.update_contact(nobody, &["family_name"]).await;
    assert_eq!(refusal(renamed), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
}

#[tokio::test]
async fn a_change_that_changes_nothing_leaves_no_trace() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let same = pb::Account { id: created.id.clone(), ..account("Acme") };
    assert_eq!(world.agent.update_account(same, &["name"]).await.unwrap(), created);
}

#[tokio::test]
async fn a_stale_etag_is_refused_and_each_change_gives_a_new_one() {
    let world = world().await;
    let stale = refused(Code::Aborted, "ETAG_MISMATCH");
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let with = |etag: &str, name: &str| pb::Account { id: created.id.clone(), etag: etag.to_owned(), ..account(name) };
    let updated = world.agent.update_account(with(&created.etag, "Two"), &[]).await.unwrap();
    assert_ne!(updated.etag, created.etag);
    assert_eq!(refusal(world.agent.update_account(with(&created.etag, "Three"), &["name"]).await), stale);
    assert_eq!(refusal(world.agent.update_account(with("\0", "Three"), &["name"]).await), stale);
    assert_eq!(refusal(world.agent.delete_account(&created.id, &created.etag).await), stale);
    world.agent.delete_account(&created.id, &updated.etag).await.unwrap();
}

#[tokio::test]
async fn of_concurrent_changes_with_one_etag_exactly_one_is_made() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let changes = (0..8).map(|number| {
        let change = pb::Account { name: format!("Acme {number}"), ..created.clone() };
        let agent = world.agent.clone();
        tokio::spawn(async move { agent.update_account(change, &["name"]).await })
    });
    let mut made = 0;
    for change in changes.collect::<Vec<_>>() {
        made += usize::from(change.await.unwrap().is_ok());
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn deleted_accounts_are_gone_until_undeleted() {
    let world = world().await;
    let agent = &world.agent;
    let gone = refused(Code::NotFound, "ACCOUNT_NOT_FOUND");
    let created =
        agent.create_account(pb::Account { domain: "acme.example".to_owned(), ..account("Acme") }).await.unwrap();
    assert_eq!(refusal(agent.undelete_account(&created.id).await), refused(Code::AlreadyExists, "ACCOUNT_NOT_DELETED"));
    let deleted = agent.delete_account(&created.id, "").await.unwrap();
    assert!(deleted.delete_time.is_some());
    assert_eq!(refusal(agent.get_account(&created.id).await), gone);
    assert_eq!(refusal(agent.delete_account(&created.id, "").await), gone);
    assert_eq!(refusal(agent.update_account(full(&created.id), &[]).await), gone);
    assert_eq!(refusal(agent.create_contact(contact(&created.id, "Love")).await).1, "CONTACT_ACCOUNT_NOT_FOUND");
    let undeleted = agent.undelete_account(&created.id).await.unwrap();
    assert_eq!(agent.get_account(&created.id).await.unwrap(), undeleted);
    assert_eq!((undeleted.name.as_str(), undeleted.delete_time), ("Acme", None));
    assert_eq!(refusal(agent.undelete_account(&Uuid::now_v7().to_string()).await), gone);
}

#[tokio::test]
async fn a_domain_belongs_to_one_account_that_is_not_deleted() {
    let world = world().await;
    let agent = &world.agent;
    let taken = refused(Code::AlreadyExists, "ACCOUNT_DOMAIN_TAKEN");
    let acme = || pb::Account { domain: "acme.example".to_owned(), ..account("Acme") };
    let first = agent.create_account(acme()).await.unwrap();
    assert_eq!(refusal(agent.create_account(acme()).await), taken);
    let other = agent.create_account(account("Other")).await.unwrap();
    let change = pb::Account { id: other.id.clone(), ..acme() };
    assert_eq!(refusal(agent.update_account(change, &["domain"]).await), taken);
    agent.delete_account(&first.id, "").await.unwrap();
    agent.create_account(acme()).await.unwrap();
    assert_eq!(refusal(agent.undelete_account(&first.id).await), taken);
    // Another tenant has domains of its own.
    let stranger = world.service.caller("globex", crm_server::token::Role::Agent);
    stranger.create_account(acme()).await.unwrap();
}

#[tokio::test]
async fn contacts_keep_a_name_and_stay_at_their_account() {
    let world = world().await;
    let agent = &world.agent;
    let (acme, other) =
        (agent.create_account(account("A")).await.unwrap(), agent.create_account(account("B")).await.unwrap());
    let created = agent.create_contact(contact(&acme.id, "Love")).await.unwrap();
    let change = |account_id: &str, family: &str| pb::Contact { id: created.id.clone(), ..contact(account_id, family) };
    assert_eq!(violations(agent.update_contact(change("", ""), &["family_name"]).await), ["contact.family_name"]);
    let moved = ["contact.account_id"];
    assert_eq!(violations(agent.update_contact(change(&other.id, "Hate"), &[]).await), moved);
    assert_eq!(violations(agent.update_contact(change(&other.id, "Hate"), &["account_id"]).await), moved);
    assert_eq!(violations(agent.update_contact(change("", "Hate"), &["account_id"]).await), moved);
    assert_eq!(agent.update_contact(change(&acme.id, "Hate"), &[]).await.unwrap().family_name, "Hate");
    assert_eq!(agent.update_contact(change(&other.id, "Dove"), &["family_name"]).await.unwrap().family_name, "Dove");
    assert_eq!(agent.update_contact(change("", "Gone"), &["*"]).await.unwrap().family_name, "Gone");

    let deleted = agent.delete_contact(&created.id, "").await.unwrap();
    assert_eq!(refusal(agent.get_contact(&created.id).await), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
    assert_ne!(agent.undelete_contact(&created.id).await.unwrap().etag, deleted.etag);
    assert_eq!(refusal(agent.undelete_contact(&created.id).await).1, "CONTACT_NOT_DELETED");
}
