//! Postgres restarted, hanging, and not there.

use std::time::{Duration, Instant};

use crm_database::{Database, Error, Settings};
use crm_sandbox::child::ChildSignal;
use crm_sandbox::{Postgres, PostgresSettings, TemporaryFolder};
use uuid::Uuid;

use crate::support::{TENANT, until};

struct Own {
    server: Postgres,
    _folder: TemporaryFolder,
}

fn start() -> Own {
    let folder = TemporaryFolder::new("crm-database-test").unwrap();
    let server = Postgres::start(&folder.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    Own { server, _folder: folder }
}

async fn connect(url: String) -> Database {
    let (acquire_timeout, statement_timeout) = (Duration::from_secs(1), Duration::from_secs(1));
    let settings = Settings { acquire_timeout, statement_timeout, max_connections: 4, ..Settings::new(url) };
    Database::connect(&settings).await.unwrap()
}

async fn one(database: &Database) -> Result<(i32,), Error> {
    let mut transaction = database.begin_read(TENANT, None).await?;
    transaction.fetch_one("one", sqlx::query("select 1")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pool_recovers_soon_after_postgres_return() {
    let mut own = start();
    let database = connect(own.server.url("postgres")).await;
    // All connections of the pool are open, and will be dead.
    let mut held = Vec::new();
    for tenant in 0..4 {
        held.push(database.begin(Uuid::from_u128(tenant), None).await.unwrap());
    }
    // What is dropped is rolled back beside us, and closed where that takes too long.
    for transaction in held {
        transaction.commit().await.unwrap();
    }
    until("idle", async || database.state().idle == 4).await;
    own.server.process().signal(ChildSignal::SIGINT);
    until("away", async || one(&database).await.is_err()).await;
    let error = one(&database).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    own.server.restart().unwrap();
    let back = Instant::now();
    until("recovered", async || one(&database).await.is_ok()).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_idle_connections_cost_no_call() {
    let mut own = start();
    let database = connect(own.server.url("postgres")).await;
    let held = [database.begin(TENANT, None).await.unwrap(), database.begin(TENANT, None).await.unwrap()];
    // What is dropped is rolled back beside us, and closed where that takes too long.
    for transaction in held {
        transaction.commit().await.unwrap();
    }
    until("idle", async || database.state().idle == 2).await;
    own.server.restart().unwrap();
    one(&database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_hangs_costs_the_wait_and_no_place_in_the_pool() {
    let own = start();
    let database = connect(own.server.url("postgres")).await;
    let mut transaction = database.begin(TENANT, None).await.unwrap();
    let (backend,): (i32,) = transaction.fetch_one("pid", sqlx::query("select pg_backend_pid()")).await.unwrap();
    stop_or_go_on(backend, "STOP");
    let work = transaction.fetch_one::<(i32,)>("one", sqlx::query("select 1"));
    assert!(tokio::time::timeout(Duration::from_millis(200), work).await.is_err());
    drop(transaction);
    one(&database).await.unwrap();
    until("closed instead of kept", async || database.state().used() == 0).await;
    stop_or_go_on(backend, "CONT");
}

fn stop_or_go_on(pid: i32, signal: &str) {
    let kill = format!("kill -{signal} {pid}");
    let done = std::process::Command::new("/bin/sh").args(["-c", &kill]).status().unwrap();
    assert!(done.success());
}

#[tokio::test]
async fn process_starts_without_postgres_but_not_with_settings_that_never_work() {
    let acquire_timeout = Duration::from_millis(100);
    let nobody = Settings { acquire_timeout, ..Settings::new("postgres://x@127.0.0.1:1/none") };
    let database = Database::connect(&nobody).await.unwrap();
    assert!(database.check().await.unwrap_err().is_retryable());
    let check = async |settings: Settings| {
        let error = Database::connect(&settings).await.unwrap_err();
        assert!(error.is_lasting(), "{error}");
        assert!(!format!("{error} {error:?} {settings:?}").contains("secret"));
    };
    check(Settings::new("not a URL with a secret")).await;
    check(Settings { max_connections: 0, ..Settings::new("postgres://x:secret@127.0.0.1:1/none") }).await;
    let home = crate::support::empty().await;
    check(Settings::new(home.url_as("nobody_of_this_name", "secret"))).await;
}
