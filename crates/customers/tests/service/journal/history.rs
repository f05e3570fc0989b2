//! Histories of records.

use crm_proto::customers as pb;
use crm_proto::journal::change::Kind;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use super::{as_owner, fields};
use crate::support::{Caller, account, call, contact, refusal, refused, violations, world};

async fn history(caller: &Caller, id: &str, page_size: i32, page_token: &str) -> pb::GetAccountHistoryResponse {
    let (id, page_token) = (id.to_owned(), page_token.to_owned());
    call!(caller, accounts.get_account_history(pb::GetAccountHistoryRequest { id, page_size, page_token })).unwrap()
}

#[tokio::test]
async fn a_history_comes_newest_first_in_pages_and_says_where_it_begins() {
    let world = world().await;
    let viewer = world.service.caller("acme", Role::Viewer);
    let created = world.agent.create_account(account("v1")).await.unwrap();
    for nth in 2..=6 {
        let changed = pb::Account { id: created.id.clone(), ..account(&format!("v{nth}")) };
        world.agent.update_account(changed, &["name"]).await.unwrap();
    }
    world.agent.delete_account(&created.id, "").await.unwrap();
    let (mut versions, mut token) = (Vec::new(), String::new());
    for size in [3, 3, 1] {
        let page = history(&viewer, &created.id, 3, &token).await;
        assert_eq!(page.changes.len(), size);
        assert_eq!((page.begin_time, page.complete), (created.create_time, true));
        versions.extend(page.changes.iter().map(|change| change.version));
        token = page.next_page_token;
    }
    assert_eq!((versions, token.as_str()), ((1..=7).rev().collect(), ""));
    let newest = history(&viewer, &created.id, 0, "").await.changes;
    assert_eq!((newest[0].kind(), newest[6].kind()), (Kind::Deleted, Kind::Created));
    assert_eq!(fields(&newest[1]), ["name: v5 -> v6"]);
    // A last page that is full is the last.
    assert_eq!(history(&viewer, &created.id, 7, "").await.next_page_token, "");
}

#[tokio::test]
async fn a_record_that_is_older_than_its_journal_says_so() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let person = world.agent.create_contact(contact(&created.id, "Love")).await.unwrap();
    as_owner(&world.database, "delete from customers.journal").await;
    let empty = history(&world.agent, &created.id, 0, "").await;
    assert_eq!(empty, pb::GetAccountHistoryResponse::default());
    let changed = pb::Account { id: created.id.clone(), ..account("Bell") };
    let changed = world.agent.update_account(changed, &["name"]).await.unwrap();
    let later = history(&world.agent, &created.id, 0, "").await;
    assert_eq!((later.changes.len(), later.begin_time, later.complete), (1, changed.update_time, false));
    world.agent.delete_contact(&person.id, "").await.unwrap();
    let request = pb::GetContactHistoryRequest { id: person.id, ..Default::default() };
    let later = call!(world.agent, contacts.get_contact_history(request)).unwrap();
    assert_eq!((later.changes[0].kind(), later.complete), (Kind::Deleted, false));
}

#[tokio::test]
async fn a_history_is_its_tenant_s_and_its_record_s() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let other = world.agent.create_account(account("Other")).await.unwrap();
    let ask = |id: &str, page_size, page_token: &str| pb::GetAccountHistoryRequest {
        id: id.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    };
    let missing = refused(Code::NotFound, "ACCOUNT_NOT_FOUND");
    let unknown = Uuid::now_v7().to_string();
    assert_eq!(refusal(call!(world.agent, accounts.get_account_history(ask(&unknown, 0, "")))), missing);
    let stranger = world.service.caller("globex", Role::Admin);
    assert_eq!(refusal(call!(stranger, accounts.get_account_history(ask(&created.id, 0, "")))), missing);
    let person = pb::GetContactHistoryRequest { id: created.id.clone(), ..Default::default() };
    let missing = refused(Code::NotFound, "CONTACT_NOT_FOUND");
    assert_eq!(refusal(call!(world.agent, contacts.get_contact_history(person))), missing);
    let faults = violations(call!(world.agent, accounts.get_account_history(ask("x", -1, "y"))));
    assert_eq!(faults, ["id", "page_size", "page_token"]);
    world.agent.delete_account(&created.id, "").await.unwrap();
    world.agent.delete_account(&other.id, "").await.unwrap();
    let token = history(&world.agent, &created.id, 1, "").await.next_page_token;
    assert_eq!(violations(call!(world.agent, accounts.get_account_history(ask(&other.id, 1, &token)))), ["page_token"]);
    let upper = history(&world.agent, &created.id.to_uppercase(), 1, &token).await;
    assert_eq!(upper.changes[0].version, 1);
}
