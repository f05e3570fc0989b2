//! Calls of one tenant that hang in the database keep no other tenant from it, and are no fault of the service.

use std::time::Duration;

use crm_proto::customers as pb;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tonic::Code;
use uuid::Uuid;

use crate::support::{account, field_mask, refusal, refused, world};
use crm_server::token::Role;

#[tokio::test]
async fn calls_of_one_tenant_that_hang_keep_no_other_from_the_database() {
    const CALLS: usize = 20;
    const CONNECTIONS: usize = 10;
    let world = world().await;
    let held = world.agent.create_account(account("Held")).await.unwrap();
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let mut lock = owner.begin().await.unwrap();
    let id: Uuid = held.id.parse().unwrap();
    let statement = sqlx::query("select from customers.accounts where id = $1 for update").bind(id);
    statement.execute(&mut *lock).await.unwrap();

    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let (agent, held) = (world.agent.clone(), held.clone());
        let mut request =
            agent.request(pb::UpdateAccountRequest { account: Some(held), update_mask: field_mask(&["name"]) });
        // Longer than the rest takes on a busy machine: none is to end by its deadline.
        request.set_timeout(Duration::from_secs(120));
        calls.spawn(async move { agent.accounts.clone().update_account(request).await });
    }
    // As long as the tenant's calls hang and wait, which some of them do until the end.
    let victim = world.service.caller("victim", Role::Agent);
    for _ in 0..CALLS - CONNECTIONS / 2 {
        victim.create_account(account("Meanwhile")).await.unwrap();
        let call = calls.join_next().await.unwrap().unwrap();
        assert_eq!(refusal(call), refused(Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
    }
    lock.rollback().await.unwrap();
    assert!(calls.join_all().await.iter().any(Result::is_ok));
}
