//! What becomes of a record that was merged into another: for readers, for writers, in lists, search and journal.

use crm_proto::activities::activity::Kind;
use crm_proto::activities::{CreateActivityRequest, GetTimelineRequest};
use crm_proto::customers as pb;
use crm_proto::journal::{Change, change};
use crm_proto::merges::Redirect;
use tonic::Code;
use uuid::Uuid;

use super::{manager, merge_accounts, merge_contacts, named, of, response};
use crate::search::{person, titles};
use crate::support::{Caller, account, call, contact, refusal, refused, world};

async fn history(caller: &Caller, id: &str) -> Vec<Change> {
    let request = pb::GetAccountHistoryRequest { id: id.to_owned(), ..Default::default() };
    call!(caller, accounts.get_account_history(request)).unwrap().changes
}

async fn listed(caller: &Caller, show_deleted: bool) -> Vec<String> {
    let request = pb::ListAccountsRequest { show_deleted, ..Default::default() };
    let answer = call!(caller, accounts.list_accounts(request)).unwrap();
    answer.accounts.into_iter().map(|account| account.name).collect()
}

async fn batch(caller: &Caller, ids: &[&str]) -> (Vec<String>, Vec<Redirect>) {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let answer = call!(caller, accounts.batch_get_accounts(pb::BatchGetAccountsRequest { ids })).unwrap();
    (answer.accounts.into_iter().map(|account| account.id).collect(), answer.redirects)
}

/// Who answers for this account, and from which id it was redirected.
async fn followed(caller: &Caller, id: &str) -> (String, Option<String>) {
    let request = caller.request(pb::GetAccountRequest { id: id.to_owned() });
    let answer = caller.accounts.clone().get_account(request).await.unwrap();
    let from = answer.metadata().get("x-crm-redirected-from").map(|from| from.to_str().unwrap().to_owned());
    (answer.into_inner().id, from)
}

fn redirect(from: &str, to: &str) -> Redirect {
    Redirect { id: from.to_owned(), winner_id: to.to_owned() }
}

#[tokio::test]
async fn a_merged_account_answers_the_winner_and_says_so_at_once_and_everywhere_else_it_is_gone() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let winner = agent.create_account(account("Acme Ltd")).await.unwrap();
    let loser = agent.create_account(account("Acmee Limited")).await.unwrap();
    let other = agent.create_account(account("Other")).await.unwrap();
    // In the caches as it was.
    assert_eq!(followed(agent, &loser.id).await, (loser.id.clone(), None));
    assert_eq!(titles(agent, "acmee").await.first().unwrap(), "Acmee Limited");

    let operation = merge_accounts(&manager, of(&winner.id, &loser.id, &[])).await;
    // Nothing was to be taken: the winner is as it was.
    assert_eq!(response::<pb::Account>(&operation), winner);
    let again = agent.get_account(&loser.id).await.unwrap();
    assert_eq!((again.id.as_str(), again.etag.as_str()), (winner.id.as_str(), winner.etag.as_str()));
    assert_eq!(followed(agent, &loser.id).await, (winner.id.clone(), Some(loser.id.clone())));
    assert_eq!(followed(agent, &winner.id).await, (winner.id.clone(), None));
    let (found, redirects) = batch(agent, &[&loser.id, &other.id, &winner.id, &loser.id]).await;
    assert_eq!(found, [&winner.id, &other.id, &winner.id, &winner.id].map(Clone::clone));
    assert_eq!(redirects, [redirect(&loser.id, &winner.id)]);
    assert_eq!(batch(agent, &[&other.id]).await.1, []);

    assert_eq!(listed(agent, false).await, ["Acme Ltd", "Other"]);
    // Who reads deleted ones as well learns that it is gone.
    assert_eq!(listed(agent, true).await, ["Acme Ltd", "Acmee Limited", "Other"]);
    assert!(!titles(agent, "acmee").await.contains(&"Acmee Limited".to_owned()));
    let draft = pb::FindDuplicateAccountsRequest { account: Some(account("Acmee Limited")), id: String::new() };
    let duplicates = call!(agent, search.find_duplicate_accounts(draft)).unwrap().duplicates;
    assert!(duplicates.iter().all(|duplicate| duplicate.id != loser.id), "{duplicates:?}");
    let terms = format!("select count(*) from customers.search_terms where record_id = '{}'", loser.id);
    assert_eq!(crate::operations::number(&world.database, &terms).await, 0);

    let changes = history(agent, &loser.id).await;
    let last = &changes[0];
    assert_eq!((last.kind(), last.version, &last.merged_into), (change::Kind::Merged, 2, &winner.id));
    assert!(last.fields.is_empty() && last.role == "manager", "{last:?}");
    assert_eq!(changes[1].merged_into, "");
    assert_eq!(history(agent, &winner.id).await.len(), 1);

    // The winner's own life goes on, and what stands for it.
    agent.delete_account(&winner.id, "").await.unwrap();
    let gone = refused(Code::NotFound, "ACCOUNT_NOT_FOUND");
    assert_eq!(refusal(agent.get_account(&loser.id).await), gone);
    agent.undelete_account(&winner.id).await.unwrap();
    assert_eq!(agent.get_account(&loser.id).await.unwrap().id, winner.id);
    // Nobody of another tenant is led anywhere.
    let stranger = world.service.caller("globex", crm_server::token::Role::Admin);
    assert_eq!(refusal(stranger.get_account(&loser.id).await), gone);
}

#[tokio::test]
async fn whoever_writes_to_a_merged_account_is_told_which_one_stands_for_it() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let winner = agent.create_account(account("Acme")).await.unwrap();
    let loser = agent.create_account(account("Acme, too")).await.unwrap();
    let person = agent.create_contact(contact(&loser.id, "Love")).await.unwrap();
    agent.delete_contact(&person.id, "").await.unwrap();
    response::<pb::Account>(&merge_accounts(&manager, of(&winner.id, &loser.id, &[])).await);

    let told = |status: tonic::Status| {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
        assert_eq!(named(&status), ("MERGED_INTO".to_owned(), winner.id.clone()));
    };
    let renamed = pb::Account { id: loser.id.clone(), ..account("New") };
    told(agent.update_account(renamed, &["name"]).await.unwrap_err());
    told(agent.delete_account(&loser.id, "").await.unwrap_err());
    told(agent.undelete_account(&loser.id).await.unwrap_err());
    told(agent.create_contact(contact(&loser.id, "Late")).await.unwrap_err());
    let below = pb::Account { parent_id: loser.id.clone(), ..account("Below") };
    told(agent.create_account(below).await.unwrap_err());
    let moved = pb::Account { parent_id: loser.id.clone(), id: winner.id.clone(), ..Default::default() };
    told(agent.update_account(moved, &["parent_id"]).await.unwrap_err());
    let note = crate::activities::of(Kind::Note, "accounts", &loser.id);
    let (activity, request_id) = (Some(note), Uuid::new_v4().to_string());
    told(call!(agent, activities.create_activity(CreateActivityRequest { activity, request_id })).unwrap_err());

    // A deleted contact has moved with the others, and comes back where they are.
    assert_eq!(agent.undelete_contact(&person.id).await.unwrap().account_id, winner.id);
    let unknown = Uuid::now_v7().to_string();
    let nowhere = refused(Code::FailedPrecondition, "CONTACT_ACCOUNT_NOT_FOUND");
    assert_eq!(refusal(agent.create_contact(contact(&unknown, "Lost")).await), nowhere);
}

#[tokio::test]
async fn contacts_are_merged_with_what_was_done_about_them() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let acme = agent.create_account(account("Acme")).await.unwrap().id;
    let winner = agent.create_contact(person(&acme, "Ada", "Love", "ada@acme.example", "")).await.unwrap();
    let loser = agent.create_contact(person(&acme, "Adah", "Loove", "ada@other.example", "")).await.unwrap();
    let call_of = |subject: &str, id: &str| crm_proto::activities::Activity {
        subject: subject.to_owned(),
        ..crate::activities::of(Kind::Call, "contacts", id)
    };
    agent.create_activity(call_of("first", &winner.id)).await.unwrap();
    let second = agent.create_activity(call_of("second", &loser.id)).await.unwrap();
    assert_eq!(crate::activities::get(agent, &second.id).await.unwrap().parent_id, loser.id);

    let operation = merge_contacts(&manager, of(&winner.id, &loser.id, &[])).await;
    assert_eq!(response::<pb::Contact>(&operation).emails, ["ada@acme.example"]);
    assert_eq!(operation.progress.unwrap().done, 1);
    assert_eq!(agent.get_contact(&loser.id).await.unwrap(), agent.get_contact(&winner.id).await.unwrap());
    let moved = crate::activities::get(agent, &second.id).await.unwrap();
    assert_eq!((moved.parent_id.as_str(), moved.etag == second.etag), (winner.id.as_str(), false));
    for id in [&winner.id, &loser.id] {
        let filter = format!("parent_id = \"{id}\"");
        assert_eq!(crate::activities::list(agent, &filter, false).await, ["first", "second"]);
        let request = GetTimelineRequest { id: id.clone(), ..Default::default() };
        let timeline = call!(agent, contacts.get_timeline(request)).unwrap().items;
        assert_eq!(timeline.len(), 3, "{timeline:?}");
    }
    // Its addresses find nobody.
    let by_email = pb::ListContactsRequest { filter: "email = \"ada@other.example\"".to_owned(), ..Default::default() };
    assert_eq!(call!(agent, contacts.list_contacts(by_email)).unwrap().contacts, []);
    assert!(!titles(agent, "loove").await.contains(&"Adah Loove".to_owned()));
    assert_eq!(named(&agent.delete_contact(&loser.id, "").await.unwrap_err()).1, winner.id);
    let late = crate::activities::of(Kind::Note, "contacts", &loser.id);
    assert_eq!(named(&agent.create_activity(late).await.unwrap_err()).1, winner.id);
}

#[tokio::test]
async fn chains_are_flattened_and_told() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let mut ids = Vec::new();
    for name in ["A", "B", "C", "D"] {
        ids.push(agent.create_account(account(name)).await.unwrap().id);
    }
    let [a, b, c, d] = ids.try_into().unwrap();
    for (loser, winner) in [(&a, &b), (&b, &c), (&c, &d)] {
        response::<pb::Account>(&merge_accounts(&manager, of(winner, loser, &[])).await);
        // Each is in the caches with what it leads to now.
        for id in [&a, &b, &c] {
            agent.get_account(id).await.unwrap();
        }
    }
    for id in [&a, &b, &c] {
        assert_eq!(followed(agent, id).await, (d.clone(), Some(id.clone())));
        assert_eq!(named(&agent.delete_account(id, "").await.unwrap_err()).1, d);
    }
    let (found, redirects) = batch(agent, &[&a, &b, &c]).await;
    assert_eq!(found, [&d, &d, &d].map(Clone::clone));
    assert_eq!(redirects, [redirect(&a, &d), redirect(&b, &d), redirect(&c, &d)]);
    let told: Vec<_> = history(agent, &a).await.into_iter().map(|it| (it.kind(), it.merged_into)).collect();
    let into = |id: &String| (change::Kind::Merged, id.clone());
    assert_eq!(told, [into(&d), into(&c), into(&b), (change::Kind::Created, String::new())]);
}
