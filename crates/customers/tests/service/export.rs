//! Exports.

use crate::support::app;
use crm_customers::seed::{self, SeedSize};
use crm_proto::customers as pb;
use crm_resource::StoreConfig;
use crm_sandbox::testing;
use crm_server::token::{Role, tenant_id};
use tokio_stream::StreamExt;
use tonic::{Code, Streaming};

use crate::support::{
    Caller, Service, account, call, database, eventually, pool, refusal, refused, tenant, violations, world,
};

async fn start(agent: &Caller, filter: &str) -> Result<Streaming<pb::Account>, tonic::Status> {
    let request = pb::ExportAccountsRequest { filter: filter.to_owned(), show_deleted: false };
    Ok(agent.accounts.clone().export_accounts(agent.request(request)).await?.into_inner())
}

async fn rest(stream: Streaming<pb::Account>) -> Vec<String> {
    stream.map(|account| account.unwrap().id).collect().await
}

#[tokio::test]
async fn an_export_has_every_row_once_as_of_one_moment() {
    let world = world().await;
    let size = SeedSize { accounts: 1_700, contacts: 0 };
    seed::demo(&pool(&world.database).await, tenant(), size, |_| ()).await.unwrap();
    let mut stream = start(&world.agent, "").await.unwrap();
    let first = stream.next().await.unwrap().unwrap().id;
    // Younger than the export.
    let late = world.agent.create_account(account("Late")).await.unwrap();
    let mut ids = vec![first];
    ids.extend(rest(stream).await);
    assert_eq!(ids.len(), 1_700);
    assert!(ids.is_sorted() && !ids.contains(&late.id));
    assert_eq!(rest(start(&world.agent, "").await.unwrap()).await.len(), 1_701);
    assert_eq!(rest(start(&world.agent, "name = \"late*\"").await.unwrap()).await, [late.id]);
    assert_eq!(rest(start(&world.agent, "name = \"nobody\"").await.unwrap()).await, Vec::<String>::new());
    assert_eq!(violations(start(&world.agent, "nobody").await), ["filter"]);
}

#[tokio::test]
async fn exports_that_one_tenant_does_not_read_keep_nobody_else_from_theirs() {
    let world = world().await;
    let size = SeedSize { accounts: 20_000, contacts: 0 };
    let pool = pool(&world.database).await;
    seed::demo(&pool, tenant(), size, |_| ()).await.unwrap();
    let others = ["other", "third", "fourth", "fifth"];
    for other in others {
        seed::demo(&pool, tenant_id(other), SeedSize { accounts: 3, contacts: 0 }, |_| ()).await.unwrap();
    }
    // Never read, so it cannot end.
    let held = start(&world.agent, "").await.unwrap();
    for _ in 0..3 {
        assert_eq!(refusal(start(&world.agent, "").await), refused(Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
    }
    for other in others {
        let other = world.service.caller(other, Role::Agent);
        assert_eq!(rest(start(&other, "").await.unwrap()).await.len(), 3);
    }
    world.agent.create_account(account("Meanwhile")).await.unwrap();
    drop(held);
    eventually("a free place", async || start(&world.agent, "").await.is_ok()).await;
}

#[tokio::test]
async fn however_many_exports_are_asked_for_half_of_the_connections_stay_free() {
    let database = database().await;
    let url = database.url_as(app::ROLE, "").parse().unwrap();
    let config = StoreConfig::new(url, testing::redis().await.unwrap().parse().unwrap());
    let service = Service::start_as(StoreConfig { database_connections: 4, ..config }.into()).await;
    let pool = pool(&database).await;
    let [one, two, agent] = ["one", "two", "acme"].map(|tenant| service.caller(tenant, Role::Agent));
    // Both first: an export that waits for the other's rows would be one that nobody reads.
    for name in ["one", "two"] {
        seed::demo(&pool, tenant_id(name), SeedSize { accounts: 20_000, contacts: 0 }, |_| ()).await.unwrap();
    }
    let mut held = Vec::new();
    for caller in [&one, &two] {
        held.push(start(caller, "").await.unwrap());
    }
    assert_eq!(refusal(start(&agent, "").await), refused(Code::ResourceExhausted, "EXPORTS_BUSY"));
    // Two at a time, as many as there are connections left.
    for number in 0..5 {
        let two = ["a", "b"].map(|half| account(&format!("Meanwhile {number}{half}")));
        let [first, second] = two.map(|account| agent.create_account(account));
        tokio::try_join!(first, second).unwrap();
    }
}

#[tokio::test]
async fn contacts_are_exported_and_read_in_batches_as_well() {
    let world = world().await;
    let size = SeedSize { accounts: 20, contacts: 700 };
    seed::demo(&pool(&world.database).await, tenant(), size, |_| ()).await.unwrap();
    let request = world.agent.request(pb::ExportContactsRequest::default());
    let stream = world.agent.contacts.clone().export_contacts(request).await.unwrap().into_inner();
    let exported: Vec<pb::Contact> = stream.map(Result::unwrap).collect().await;
    assert_eq!(exported.len(), 700);
    let ids = exported.iter().take(100).map(|contact| contact.id.clone()).collect();
    let batch = call!(world.agent, contacts.batch_get_contacts(pb::BatchGetContactsRequest { ids })).unwrap();
    assert_eq!(batch.contacts, exported[..100]);
}
