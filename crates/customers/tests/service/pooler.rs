//! The whole service behind PgBouncer in transaction mode.

use crate::support::app;
use crm_proto::customers as pb;
use crm_sandbox::{Pgbouncer, TemporaryFolder, testing};
use crm_server::token::Role;
use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use tokio_stream::StreamExt;

use crate::support::{Caller, Service, account, call, contact, database};

const SESSIONS: u16 = 4;

async fn use_everything(agent: &Caller, nth: usize) {
    let created = agent.create_account(account(&format!("Account {nth}"))).await.unwrap();
    let person = agent.create_contact(contact(&created.id, "Lovelace")).await.unwrap();
    let changed = pb::Account { id: created.id.clone(), ..account(&format!("Changed {nth}")) };
    assert_eq!(agent.update_account(changed, &["name"]).await.unwrap().name, format!("Changed {nth}"));
    assert_eq!(agent.get_contact(&person.id).await.unwrap().account_id, created.id);
    let filter = format!("name = \"Changed {nth}\"");
    let listed = pb::ListAccountsRequest { filter, ..Default::default() };
    let listed = call!(agent, accounts.list_accounts(listed)).unwrap().accounts;
    assert_eq!(listed.iter().map(|account| &account.id).collect::<Vec<_>>(), [&created.id]);
    agent.delete_contact(&person.id, "").await.unwrap();
    agent.delete_account(&created.id, "").await.unwrap();
    agent.undelete_account(&created.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_behind_a_pooler_answer_every_call() {
    if crm_sandbox::find_pgbouncer().is_err() && std::env::var("CI").is_err() {
        eprintln!("skipped: there is no pgbouncer (deploy/ensure pgbouncer)");
        return;
    }
    let (database, redis) = (database().await, testing::redis().await.unwrap());
    let server: PgConnectOptions = testing::postgres().await.unwrap().admin_url().parse().unwrap();
    let folder = TemporaryFolder::new("crm-pooler").unwrap();
    let home = folder.path().join("pgbouncer");
    let pooler = Pgbouncer::start(&home, server.get_socket().unwrap(), SESSIONS, &[app::ROLE], &[]).unwrap();
    let url = pooler.url_as(app::ROLE, database.name());
    let replicas = [Service::start(&url, &redis).await, Service::start(&url, &redis).await];
    let callers: Vec<Caller> = (0..12)
        .map(|nth| replicas[nth % 2].caller(if nth % 3 == 0 { "globex" } else { "acme" }, Role::Agent))
        .collect();
    join_all(callers.iter().enumerate().map(|(nth, agent)| use_everything(agent, nth))).await;
    for (nth, expected) in [(0, 4), (1, 8)] {
        let export = call!(callers[nth], accounts.export_accounts(pb::ExportAccountsRequest::default())).unwrap();
        assert_eq!(export.collect::<Vec<_>>().await.len(), expected);
    }
    for replica in replicas {
        replica.stop().await;
    }
}
