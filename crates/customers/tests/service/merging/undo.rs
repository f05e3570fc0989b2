//! The way back: what an undone merge leaves as it was, what stays where it is, and what cannot be undone.

use crm_proto::activities::activity::Kind;
use crm_proto::customers as pb;
use crm_proto::journal::change;
use crm_proto::merges::{UnmergeRequest, UnmergeResponse, UnmovedRecord};
use crm_proto::operations as ops;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use super::{ended, manager, merge_accounts, merge_contacts, of, reason, response};
use crate::operations::number;
use crate::search::{person, titles};
use crate::support::{Caller, account, as_owner, call, contact, refusal, refused, store, violations, world};

fn back(loser: &str) -> UnmergeRequest {
    UnmergeRequest { id: loser.to_owned(), request_id: Uuid::new_v4().to_string() }
}

async fn undo_account(caller: &Caller, loser: &str) -> ops::Operation {
    let begun = call!(caller, accounts.unmerge_account(back(loser)));
    ended(caller, begun).await
}

async fn undo_contact(caller: &Caller, loser: &str) -> ops::Operation {
    let begun = call!(caller, contacts.unmerge_contact(back(loser)));
    ended(caller, begun).await
}

#[tokio::test]
async fn an_undone_merge_leaves_all_as_it_was() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let named = |name: &str, domain: &str| pb::Account { domain: domain.to_owned(), ..account(name) };
    let winner = agent.create_account(named("Acme", "acme.example")).await.unwrap();
    let loser = agent.create_account(named("Duplo", "duplo.example")).await.unwrap();
    let person = agent.create_contact(contact(&loser.id, "Love")).await.unwrap();
    let below = agent.create_account(pb::Account { parent_id: loser.id.clone(), ..account("Below") }).await.unwrap();
    let note = agent.create_activity(crate::activities::of(Kind::Note, "accounts", &loser.id)).await.unwrap();
    let own = agent.create_contact(contact(&winner.id, "Own")).await.unwrap();
    let earlier = agent.create_account(account("Earlier")).await.unwrap();
    response::<pb::Account>(&merge_accounts(&manager, of(&loser.id, &earlier.id, &[])).await);

    response::<pb::Account>(&merge_accounts(&manager, of(&winner.id, &loser.id, &["domain"])).await);
    assert_eq!(agent.get_account(&winner.id).await.unwrap().domain, "duplo.example");
    for id in [&loser.id, &earlier.id] {
        assert_eq!(agent.get_account(id).await.unwrap().id, winner.id);
    }
    let undone: UnmergeResponse = response(&undo_account(&manager, &loser.id).await);
    assert_eq!((undone.moved_count, undone.unmoved_count, undone.unmoved.len()), (3, 0, 0), "{undone:?}");
    assert_eq!((undone.restored_fields, undone.kept_fields), (vec!["domain".to_owned()], vec![]));

    let again = agent.get_account(&loser.id).await.unwrap();
    assert_eq!((again.name.as_str(), again.domain.as_str()), ("Duplo", "duplo.example"));
    assert!(again.etag != loser.etag && again.delete_time.is_none());
    assert_eq!(agent.get_account(&winner.id).await.unwrap().domain, "acme.example");
    // What the loser had stood for, it stands for again.
    assert_eq!(agent.get_account(&earlier.id).await.unwrap().id, loser.id);
    assert_eq!(titles(agent, "duplo").await, ["Duplo"]);
    assert_eq!(agent.get_contact(&person.id).await.unwrap().account_id, loser.id);
    assert_eq!(agent.get_account(&below.id).await.unwrap().parent_id, loser.id);
    assert_eq!(crate::activities::get(agent, &note.id).await.unwrap().parent_id, loser.id);
    assert_eq!(agent.get_contact(&own.id).await.unwrap(), own);
    let history = pb::GetAccountHistoryRequest { id: loser.id.clone(), ..Default::default() };
    let changes = call!(agent, accounts.get_account_history(history)).unwrap().changes;
    assert_eq!((changes[0].kind(), &changes[0].merged_into), (change::Kind::Unmerged, &winner.id));
    assert_eq!(number(&world.database, "select count(*) from customers.merge_moves").await, 0);

    // It lives as before, and can be merged again.
    agent.update_account(pb::Account { id: loser.id.clone(), ..account("Duplo 2") }, &["name"]).await.unwrap();
    agent.create_contact(contact(&loser.id, "New")).await.unwrap();
    response::<pb::Account>(&merge_accounts(&manager, of(&winner.id, &loser.id, &[])).await);
    let undone: UnmergeResponse = response(&undo_account(&manager, &loser.id).await);
    assert_eq!(undone.moved_count, 4);
}

#[tokio::test]
async fn what_was_changed_since_stays_and_is_listed() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let acme = agent.create_account(account("Acme")).await.unwrap().id;
    let ada = person(&acme, "Ada", "Love", "ada@acme.example", "");
    let winner = agent.create_contact(pb::Contact { title: "Countess".to_owned(), ..ada }).await.unwrap();
    let loser = person(&acme, "Adah", "Love", "adah@other.example", "+4930123456");
    let loser = agent.create_contact(pb::Contact { title: "Lady".to_owned(), ..loser }).await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..3 {
        let call = crate::activities::of(Kind::Call, "contacts", &loser.id);
        calls.push(agent.create_activity(call).await.unwrap());
    }
    let take = ["title", "emails", "phones"];
    response::<pb::Contact>(&merge_contacts(&manager, of(&winner.id, &loser.id, &take)).await);
    let changed =
        crm_proto::activities::Activity { id: calls[0].id.clone(), body: "Changed".to_owned(), ..Default::default() };
    crate::activities::update(agent, changed, &["body"]).await.unwrap();
    crate::activities::delete(agent, &calls[1].id).await.unwrap();
    let changed = pb::Contact { id: winner.id.clone(), title: "Doctor".to_owned(), ..Default::default() };
    agent.update_contact(changed, &["title"]).await.unwrap();

    let undone: UnmergeResponse = response(&undo_contact(&manager, &loser.id).await);
    assert_eq!((undone.moved_count, undone.unmoved_count), (1, 2));
    let mut stay: Vec<_> = calls[..2].iter().map(|call| call.id.clone()).collect();
    stay.sort_unstable();
    let stay: Vec<_> = stay.into_iter().map(|id| UnmovedRecord { resource: "activities".to_owned(), id }).collect();
    assert_eq!(undone.unmoved, stay);
    assert_eq!(
        (undone.restored_fields.join(" "), undone.kept_fields.join(" ")),
        ("emails phones".into(), "title".into())
    );
    let now = agent.get_contact(&winner.id).await.unwrap();
    assert_eq!((now.title.as_str(), now.emails, now.phones.len()), ("Doctor", winner.emails, 0));
    let again = agent.get_contact(&loser.id).await.unwrap();
    assert_eq!((again.emails, again.title), (loser.emails, loser.title));
    assert_eq!(crate::activities::get(agent, &calls[0].id).await.unwrap().parent_id, winner.id);
    assert_eq!(crate::activities::get(agent, &calls[2].id).await.unwrap().parent_id, loser.id);
}

#[tokio::test]
async fn chains_are_undone_from_their_end() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        let id = agent.create_account(account(name)).await.unwrap().id;
        ids.push((agent.create_contact(contact(&id, name)).await.unwrap().id, id));
    }
    let [(of_a, a), (of_b, b), (of_c, c)] = ids.try_into().unwrap();
    response::<pb::Account>(&merge_accounts(&manager, of(&b, &a, &[])).await);
    response::<pb::Account>(&merge_accounts(&manager, of(&c, &b, &[])).await);
    assert_eq!(reason(&undo_account(&manager, &a).await), "MERGED_INTO");
    let undone: UnmergeResponse = response(&undo_account(&manager, &b).await);
    assert_eq!(undone.moved_count, 2);
    assert_eq!(agent.get_account(&a).await.unwrap().id, b);
    // They have been there and back, and nobody has changed them.
    let undone: UnmergeResponse = response(&undo_account(&manager, &a).await);
    assert_eq!((undone.moved_count, undone.unmoved_count), (1, 0));
    for (contact, account) in [(of_a, a), (of_b, b), (of_c, c)] {
        assert_eq!(agent.get_contact(&contact).await.unwrap().account_id, account);
        assert_eq!(agent.get_account(&account).await.unwrap().id, account);
    }
}

#[tokio::test]
async fn what_cannot_be_undone_says_why_and_stays_as_it_is() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let domain = "duplo.example".to_owned();
    let parent = agent.create_account(account("Parent")).await.unwrap();
    let winner = agent.create_account(account("Acme")).await.unwrap();
    let loser = pb::Account { domain: domain.clone(), parent_id: parent.id.clone(), ..account("Duplo") };
    let loser = agent.create_account(loser).await.unwrap();
    let person = agent.create_contact(contact(&loser.id, "Love")).await.unwrap();
    assert_eq!(reason(&undo_account(&manager, &loser.id).await), "NOT_MERGED");
    assert_eq!(reason(&undo_account(&manager, &Uuid::now_v7().to_string()).await), "ACCOUNT_NOT_FOUND");
    assert_eq!(violations(call!(manager, accounts.unmerge_account(back("x")))), ["id"]);
    let not_allowed = refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED");
    assert_eq!(refusal(call!(agent, accounts.unmerge_account(back(&loser.id)))), not_allowed);
    assert_eq!(refusal(call!(agent, contacts.unmerge_contact(back(&loser.id)))), not_allowed);

    response::<pb::Account>(&merge_accounts(&manager, of(&winner.id, &loser.id, &[])).await);
    assert_eq!(reason(&undo_account(&manager, &winner.id).await), "NOT_MERGED");
    // Somebody else has its domain; its parent is gone; it is merged and not at its end.
    let other = agent.create_account(pb::Account { domain, ..account("Other") }).await.unwrap();
    assert_eq!(reason(&undo_account(&manager, &loser.id).await), "ACCOUNT_DOMAIN_TAKEN");
    agent.delete_account(&other.id, "").await.unwrap();
    agent.delete_account(&parent.id, "").await.unwrap();
    assert_eq!(reason(&undo_account(&manager, &loser.id).await), "ACCOUNT_PARENT_NOT_FOUND");
    agent.undelete_account(&parent.id).await.unwrap();
    as_owner(&world.database, "update customers.merges set state = 'moving'").await;
    assert_eq!(reason(&undo_account(&manager, &loser.id).await), "MERGE_UNDER_WAY");
    as_owner(&world.database, "update customers.merges set state = 'moved', merge_time = now() - interval '31 days'")
        .await;
    assert_eq!(reason(&undo_account(&manager, &loser.id).await), "MERGE_TOO_OLD");
    assert_eq!(agent.get_account(&loser.id).await.unwrap().id, winner.id);
    assert_eq!(agent.get_contact(&person.id).await.unwrap().account_id, winner.id);

    as_owner(&world.database, "update customers.merges set merge_time = now() - interval '29 days'").await;
    let undone: UnmergeResponse = response(&undo_account(&manager, &loser.id).await);
    assert_eq!(undone.moved_count, 1);
    assert_eq!(agent.get_account(&loser.id).await.unwrap().parent_id, parent.id);
}

#[tokio::test]
async fn after_31_days_nothing_is_kept_but_the_redirect() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let store = store(&world.database).await;
    let mut pairs = Vec::new();
    for domain in ["old.example", "young.example"] {
        let winner = agent.create_account(account("Winner")).await.unwrap().id;
        let loser = pb::Account { domain: domain.to_owned(), ..account("Loser") };
        let loser = agent.create_account(loser).await.unwrap().id;
        agent.create_contact(contact(&loser, "Love")).await.unwrap();
        response::<pb::Account>(&merge_accounts(&manager, of(&winner, &loser, &["domain"])).await);
        pairs.push((winner, loser));
    }
    let old = format!(
        "update customers.merges set merge_time = now() - interval '32 days' where id = '{0}'; \
         update customers.merge_moves set move_time = now() - interval '32 days' where merge_id = '{0}'",
        pairs[0].1
    );
    as_owner(&world.database, &old).await;
    assert_eq!(store.sweep_merges().await.unwrap(), 2);
    assert_eq!(store.sweep_merges().await.unwrap(), 0);
    let (winner, loser) = &pairs[0];
    assert_eq!(&agent.get_account(loser).await.unwrap().id, winner);
    assert_eq!(reason(&undo_account(&manager, loser).await), "MERGE_TOO_OLD");
    let undone: UnmergeResponse = response(&undo_account(&manager, &pairs[1].1).await);
    assert_eq!((undone.moved_count, undone.restored_fields.len()), (1, 1));
    // Nobody sees what another tenant has merged.
    let stranger = world.service.caller("globex", Role::Admin);
    assert_eq!(reason(&undo_account(&stranger, loser).await), "ACCOUNT_NOT_FOUND");
}
