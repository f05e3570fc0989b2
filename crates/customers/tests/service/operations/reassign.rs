//! Accounts that get another owner, by the thousand.

use crm_proto::customers as pb;
use crm_proto::operations::{self as ops, operation::State};
use crm_server::token::Role;
use uuid::Uuid;

use super::{as_owner, error, number};
use crate::support::{Caller, World, account, call, tenant, world};

async fn reassign(world: &World, manager: &Caller, filter: &str) -> ops::Operation {
    let request_id = Uuid::new_v4().to_string();
    let request = pb::ReassignAccountsRequest { filter: filter.to_owned(), owner: " eve ".to_owned(), request_id };
    let begun = call!(manager, accounts.reassign_accounts(request)).unwrap();
    let wait = ops::WaitOperationRequest { id: begun.id, timeout: None };
    loop {
        let operation = call!(manager, operations.wait_operation(wait.clone())).unwrap();
        if operation.done {
            return operation;
        }
        let open = number(&world.database, "select count(*) from customers.operations where due_time is not null");
        assert_eq!(open.await, 1);
    }
}

/// So many accounts by SQL, of one owner in one territory, from a number on.
async fn fill(world: &World, tenant: Uuid, numbers: &str, owner: &str, territory: &str) {
    let insert = format!(
        "insert into customers.accounts (tenant_id, id, name, name_key, owner, owner_key, territory, territory_key) \
         select '{tenant}', md5('{tenant}' || n)::uuid, 'Name', 'name', '{owner}', '{owner}', '{territory}', '{territory}' \
         from generate_series({numbers}) n"
    );
    as_owner(&world.database, &insert).await;
}

#[tokio::test]
async fn all_that_match_get_another_owner_once_each_in_the_callers_name() {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    fill(&world, tenant(), "1, 250", "ada", "west").await;
    fill(&world, tenant(), "251, 270", "eve", "west").await;
    fill(&world, tenant(), "271, 280", "ada", "east").await;
    fill(&world, Uuid::from_u128(1), "1, 10", "ada", "west").await;
    let read = manager.create_account(pb::Account { territory: "west".to_owned(), ..account("Read") }).await.unwrap();
    let deleted =
        manager.create_account(pb::Account { territory: "west".to_owned(), ..account("Gone") }).await.unwrap();
    manager.delete_account(&deleted.id, "").await.unwrap();
    assert_eq!(manager.get_account(&read.id).await.unwrap().owner, "");

    let operation = reassign(&world, &manager, "territory = \"west\"").await;
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    let Some(ops::operation::Result::Response(response)) = &operation.result else { panic!("{operation:?}") };
    assert_eq!(response.type_url, "type.googleapis.com/crm.customers.v1.ReassignAccountsResponse");
    let counts: pb::ReassignAccountsResponse = response.to_msg().unwrap();
    assert_eq!((counts.changed_count, counts.unchanged_count), (251, 20));
    let progress = operation.progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.unit.as_str()), (271, Some(271), "accounts"));

    // No cache has the old state, and each has one entry more, of whoever asked.
    let changed = manager.get_account(&read.id).await.unwrap();
    assert_eq!(changed.owner, "eve");
    assert_ne!(changed.etag, read.etag);
    let own = "owner = 'eve' and owner_key = 'eve' and version = 2";
    assert_eq!(number(&world.database, &format!("select count(*) from customers.accounts where {own}")).await, 251);
    let entries = "select count(distinct record_id) from customers.journal where kind = 'updated' and version = 2 \
                   and subject = 'ada' and role = 'manager' and changes->'owner'->>1 = 'eve'";
    assert_eq!(number(&world.database, entries).await, 251);
    let all = "select count(*) from customers.journal where kind = 'updated'";
    assert_eq!(number(&world.database, all).await, 251);

    let nothing = reassign(&world, &manager, "territory = \"north\"").await;
    let Some(ops::operation::Result::Response(response)) = &nothing.result else { panic!("{nothing:?}") };
    assert_eq!(response.to_msg(), Ok(pb::ReassignAccountsResponse::default()));
}

#[tokio::test]
async fn ten_thousand_are_changed_and_one_more_none() {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    fill(&world, tenant(), "1, 10001", "ada", "west").await;
    let operation = reassign(&world, &manager, "owner = \"ada\"").await;
    assert_eq!((operation.state(), error(&operation).1.as_str()), (State::Failed, "TOO_MANY_RECORDS"));
    assert_eq!(number(&world.database, "select count(*) from customers.journal").await, 0);
    as_owner(
        &world.database,
        "update customers.accounts set owner = 'eve', owner_key = 'eve' where id > (select id from \
        customers.accounts order by id offset 9000 limit 1)",
    )
    .await;
    // Nine of ten thousand have to be changed: it is the counting that is tried here.
    let operation = reassign(&world, &manager, "territory = \"west\" AND owner = \"eve\"").await;
    let Some(ops::operation::Result::Response(response)) = &operation.result else { panic!("{operation:?}") };
    assert_eq!(response.to_msg(), Ok(pb::ReassignAccountsResponse { changed_count: 0, unchanged_count: 1_000 }));
}
