//! A server that changes under a service that runs: the schema, and whether it may be written to.

use crate::support::app;
use crm_proto::customers as pb;
use crm_sandbox::testing;
use crm_server::token::Role;
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Caller, Service, World, account, call, contact, database, eventually, refusal, refused, world};

async fn names(agent: &Caller) -> Result<Vec<String>, tonic::Status> {
    let listed = call!(agent, accounts.list_accounts(pb::ListAccountsRequest::default()))?;
    Ok(listed.accounts.into_iter().map(|account| account.name).collect())
}

/// Every connection of the pool has every statement of the calls below prepared.
async fn warm(world: &World, id: &str) {
    for _ in 0..8 {
        let changed = |name: String| pb::Account { id: id.to_owned(), ..account(&name) };
        let updates = (0..4).map(|nth| world.agent.update_account(changed(format!("warm {nth}")), &["name"]));
        let lists = (0..6).map(|_| names(&world.agent));
        let creates = (0..4).map(|nth| world.agent.create_account(account(&format!("other {nth}"))));
        let (updates, lists, creates) = tokio::join!(join_all(updates), join_all(lists), join_all(creates));
        assert!(updates.iter().all(Result::is_ok) && lists.iter().all(Result::is_ok), "{updates:?}");
        assert!(creates.iter().all(Result::is_ok), "{creates:?}");
    }
}

async fn owner(world: &World) -> PgConnection {
    PgConnection::connect(world.database.url()).await.unwrap()
}

async fn run(owner: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(owner).await.unwrap();
}

/// Each kind of call beside others of its kind, so that many connections meet the change at the same time.
async fn every_call_succeeds(world: &World, id: &str) {
    let changed = |name: String| pb::Account { id: id.to_owned(), ..account(&name) };
    let lists = join_all((0..5).map(|_| names(&world.agent)));
    let updates = join_all((0..4).map(|nth| world.agent.update_account(changed(format!("after {nth}")), &["name"])));
    let creates = join_all((0..4).map(|nth| world.agent.create_account(account(&format!("new {nth}")))));
    let (lists, updates, creates) = tokio::join!(lists, updates, creates);
    for list in lists {
        list.unwrap();
    }
    for answer in updates.into_iter().chain(creates) {
        answer.unwrap();
    }
    let person = world.agent.create_contact(contact(id, "Lovelace")).await.unwrap();
    world.agent.delete_contact(&person.id, "").await.unwrap();
    let created = world.agent.create_account(account("Brief")).await.unwrap();
    world.agent.delete_account(&created.id, "").await.unwrap();
    world.agent.undelete_account(&created.id).await.unwrap();
    let export = pb::ExportAccountsRequest::default();
    let exported = call!(world.agent, accounts.export_accounts(export)).unwrap().collect::<Vec<_>>().await;
    assert!(exported.len() > 20 && exported.iter().all(Result::is_ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_when_the_schema_changes_under_it() {
    let world = world().await;
    let id = world.agent.create_account(account("Acme")).await.unwrap().id;
    warm(&world, &id).await;
    let mut owner = owner(&world).await;
    for change in [
        "alter table customers.accounts alter column country type varchar(60)",
        "alter table customers.accounts add column note text",
        "drop index customers.accounts_name_idx",
        "create index accounts_name_idx on customers.accounts (tenant_id, name_key, id)",
        "alter table customers.contacts alter column title type varchar(200)",
        "alter table customers.accounts alter column country type text",
    ] {
        run(&mut owner, change).await;
        every_call_succeeds(&world, &id).await;
    }
}

/// What a fail-over leaves behind: sessions that began when the server could only be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_read_only_is_written_to_as_soon_as_it_can_be() {
    let database = database().await;
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let setting = |to: &str| {
        format!("alter role {} in database {} {to} default_transaction_read_only", app::ROLE, database.name())
    };
    let service = Service::start(&database.url_as(app::ROLE, ""), &testing::redis().await.unwrap()).await;
    let agent = service.caller("acme", Role::Agent);
    let before = agent.create_account(account("Before")).await.unwrap();
    run(&mut owner, &format!("{} = on", setting("set"))).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() \
               and usename = $1";
    sqlx::query(end).bind(app::ROLE).execute(&mut owner).await.unwrap();

    for round in 0..3 {
        assert_eq!(names(&agent).await.unwrap(), ["Before"], "it can be read");
        let status = agent.create_account(account(&format!("Not now {round}"))).await.unwrap_err();
        assert!(status.get_error_details().retry_info().is_some());
        assert_eq!(refusal::<()>(Err(status)), refused(Code::Unavailable, "DATABASE_UNAVAILABLE"));
    }
    let changed = pb::Account { id: before.id.clone(), ..account("Changed") };
    let update = agent.update_account(changed.clone(), &["name"]).await;
    assert_eq!(refusal(update), refused(Code::Unavailable, "DATABASE_UNAVAILABLE"));
    assert_eq!(join_all((0..8).map(|_| names(&agent))).await.into_iter().filter(Result::is_ok).count(), 8);

    run(&mut owner, &setting("reset")).await;
    // For a moment after the server itself has said it, its word holds; then no call fails for a connection's past.
    eventually("a write", async || agent.update_account(changed.clone(), &["name"]).await.is_ok()).await;
    eventually("twelve writes, one after the other", async || {
        for nth in 0..12 {
            if agent.create_account(account(&format!("After {nth}"))).await.is_err() {
                return false;
            }
        }
        true
    })
    .await;
    service.stop().await;
}
