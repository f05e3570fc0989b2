//! Request ids.

use crm_proto::customers as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Caller, account, call, contact, refusal, refused, world};

fn request(name: &str, request_id: &str) -> pb::CreateAccountRequest {
    pb::CreateAccountRequest { account: Some(account(name)), request_id: request_id.to_owned(), ..Default::default() }
}

async fn count(agent: &Caller) -> usize {
    call!(agent, accounts.list_accounts(pb::ListAccountsRequest::default())).unwrap().accounts.len()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_is_refused() {
    let world = world().await;
    let id = Uuid::new_v4().to_string();
    let first = call!(world.agent, accounts.create_account(request("Acme", &id))).unwrap();
    let changed = pb::Account { id: first.id.clone(), ..account("Changed") };
    world.agent.update_account(changed, &["name"]).await.unwrap();
    assert_eq!(call!(world.agent, accounts.create_account(request("Acme", &id))).unwrap(), first);
    let other = call!(world.agent, accounts.create_account(request("Other", &id)));
    assert_eq!(refusal(other), refused(Code::InvalidArgument, "REQUEST_ID_REUSED"));
    assert_eq!(count(&world.agent).await, 1);
    // Ids belong to their method and their tenant.
    let person = pb::CreateContactRequest {
        contact: Some(contact(&first.id, "Love")),
        request_id: id.clone(),
        ..Default::default()
    };
    let created = call!(world.agent, contacts.create_contact(person.clone())).unwrap();
    assert_eq!(call!(world.agent, contacts.create_contact(person)).unwrap(), created);
    let stranger = world.service.caller("globex", crm_server::token::Role::Agent);
    assert_ne!(call!(stranger, accounts.create_account(request("Acme", &id))).unwrap().id, first.id);
}

#[tokio::test]
async fn at_once_too_the_same_request_creates_one_account() {
    let world = world().await;
    let id = Uuid::new_v4().to_string();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (agent, request) = (world.agent.clone(), request("Acme", &id));
            tokio::spawn(async move { call!(agent, accounts.create_account(request)) })
        })
        .collect();
    let mut ids = Vec::new();
    for call in calls {
        ids.push(call.await.unwrap().unwrap().id);
    }
    ids.dedup();
    assert_eq!((ids.len(), count(&world.agent).await), (1, 1));
}

#[tokio::test]
async fn a_refused_request_leaves_its_id_free() {
    let world = world().await;
    let taken = pb::Account { domain: "acme.example".to_owned(), ..account("Acme") };
    let first = world.agent.create_account(taken.clone()).await.unwrap();
    let again =
        pb::CreateAccountRequest { account: Some(taken), request_id: Uuid::new_v4().to_string(), ..Default::default() };
    let answer = call!(world.agent, accounts.create_account(again.clone()));
    assert_eq!(refusal(answer).1, "ACCOUNT_DOMAIN_TAKEN");
    world.agent.delete_account(&first.id, "").await.unwrap();
    call!(world.agent, accounts.create_account(again)).unwrap();
}

#[tokio::test]
async fn ids_are_the_same_in_either_case() {
    let world = world().await;
    let parent = world.agent.create_account(account("Parent")).await.unwrap().id;
    let upper = parent.to_uppercase();
    assert_ne!(upper, parent);
    let id = Uuid::new_v4().to_string();
    let child = |parent: &str, id: &str| pb::CreateAccountRequest {
        account: Some(pb::Account { parent_id: parent.to_owned(), ..account("Child") }),
        request_id: id.to_owned(),
        ..Default::default()
    };
    let first = call!(world.agent, accounts.create_account(child(&parent, &id))).unwrap();
    assert_eq!(call!(world.agent, accounts.create_account(child(&upper, &id.to_uppercase()))).unwrap(), first);
    let person = |at: &str| pb::CreateContactRequest {
        contact: Some(contact(at, "Love")),
        request_id: id.clone(),
        ..Default::default()
    };
    let created = call!(world.agent, contacts.create_contact(person(&upper))).unwrap();
    assert_eq!(call!(world.agent, contacts.create_contact(person(&parent))).unwrap(), created);
    assert_eq!((created.account_id.as_str(), first.parent_id.as_str()), (parent.as_str(), parent.as_str()));
    assert_eq!(world.agent.get_account(&upper).await.unwrap().id, parent);
    let batch = pb::BatchGetAccountsRequest { ids: vec![upper.clone(), parent.clone()] };
    let found = call!(world.agent, accounts.batch_get_accounts(batch)).unwrap().accounts;
    assert_eq!(found.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), [&parent, &parent]);
}
