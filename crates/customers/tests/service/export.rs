//! Exports.

use crm_customers::seed::{self, SeedSize};
use crm_proto::customers as pb;
use tokio_stream::StreamExt;
use tonic::Streaming;

use crate::support::{Caller, account, call, eventually, pool, refusal, tenant, violations, world};

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
async fn a_client_that_goes_frees_the_place_of_its_export() {
    let world = world().await;
    let size = SeedSize { accounts: 20_000, contacts: 0 };
    seed::demo(&pool(&world.database).await, tenant(), size, |_| ()).await.unwrap();
    let held = [start(&world.agent, "").await.unwrap(), start(&world.agent, "").await.unwrap()];
    // Neither is read, so neither can end: there is no third place, and other calls go on.
    assert_eq!(refusal(start(&world.agent, "").await).1, "EXPORTS_BUSY");
    world.agent.create_account(account("Meanwhile")).await.unwrap();
    drop(held);
    eventually("a free place", async || start(&world.agent, "").await.is_ok()).await;
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
