//! PgBouncer in transaction mode between us and the server: as it comes, and as others set it up.

use std::time::Duration;

use crm_database::migrate::MigrateError;
use crm_database::{Access, Database, Error, Settings};
use crm_sandbox::{Pgbouncer, TemporaryFolder, testing};
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::support::{Notes, OTHER_TENANT, ROLE, TENANT, until};

const SESSIONS: u16 = 3;

struct Pooled {
    notes: Notes,
    /// Two processes, as far as PgBouncer can tell.
    databases: [Database; 2],
    pooler: Pgbouncer,
    _folder: TemporaryFolder,
}

/// Nothing where there is no PgBouncer; on the machines that decide there has to be one.
async fn pooled(settings: &[&str]) -> Option<Pooled> {
    if crm_sandbox::find_pgbouncer().is_err() && std::env::var("CI").is_err() {
        eprintln!("skipped: there is no pgbouncer (deploy/ensure pgbouncer)");
        return None;
    }
    let notes = Notes::new().await;
    let server: PgConnectOptions = testing::postgres().await.unwrap().admin_url().parse().unwrap();
    let folder = TemporaryFolder::new("crm-pooler").unwrap();
    let home = folder.path().join("pgbouncer");
    let socket = server.get_socket().unwrap();
    let pooler = Pgbouncer::start(&home, socket, SESSIONS, &[ROLE], settings).unwrap();
    let settings = Settings { max_connections: 8, ..Settings::new(pooler.url_as(ROLE, notes.home.name())) };
    let databases = [Database::connect(&settings).await.unwrap(), Database::connect(&settings).await.unwrap()];
    Some(Pooled { notes, databases, pooler, _folder: folder })
}

/// A write and reads, whose statements are the same for nobody else: by their parameters they would fit each other.
async fn work(database: Database, tenant: Uuid, nth: usize) -> Result<(), Error> {
    let text = format!("note {nth} of {tenant}");
    let mut transaction = database.begin(tenant, None).await?;
    let insert = sqlx::AssertSqlSafe(format!("insert into notes.notes (text) values ($1) -- {}", nth % 7));
    transaction.execute("insert_note", sqlx::query(insert).bind(&text)).await?;
    transaction.commit().await?;
    let mut transaction = database.begin_with(tenant, None, Access::Snapshot).await?;
    let find = sqlx::AssertSqlSafe(format!("select text, {nth} from notes.notes where text = $1"));
    let found: (String, i32) = transaction.fetch_one("find_note", sqlx::query(find).bind(&text)).await?;
    assert_eq!(found, (text, i32::try_from(nth).unwrap()));
    transaction.commit().await
}

async fn works_for_two_processes_and_two_tenants(settings: &[&str]) {
    let Some(Pooled { notes, databases, .. }) = &pooled(settings).await else { return };
    let mut calls = JoinSet::new();
    for nth in 0..120 {
        let tenant = if nth % 2 == 0 { TENANT } else { OTHER_TENANT };
        calls.spawn(work(databases[nth % 3 % 2].clone(), tenant, nth));
        if calls.len() >= 12 {
            calls.join_next().await.unwrap().unwrap().unwrap();
        }
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    for tenant in [TENANT, OTHER_TENANT] {
        let theirs = notes.texts(tenant).await;
        assert_eq!(theirs.len(), 60);
        assert!(theirs.iter().all(|text| text.ends_with(&tenant.to_string())), "{theirs:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pooler_that_refuses_our_options_is_worked_with() {
    works_for_two_processes_and_two_tenants(&[]).await;
}

/// Usual where other drivers came before us: it takes the options, and passes none of them on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pooler_that_swallows_our_options_is_found_out() {
    works_for_two_processes_and_two_tenants(&["ignore_startup_parameters = extra_float_digits,options"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_and_nothing_is_left_to_the_next_behind_a_pooler() {
    let Some(Pooled { notes, databases: [database, _], .. }) = &pooled(&[]).await else { return };
    let deadline = Instant::now() + Duration::from_millis(150);
    let mut transaction = database.begin(TENANT, Some(deadline)).await.unwrap();
    let late = transaction.execute("sleep", sqlx::query("select 1 from pg_sleep(60)")).await;
    assert!(matches!(late, Err(Error::DeadlineExceeded)), "{late:?}");
    drop(transaction);
    let tenant = sqlx::query(
        "select current_setting('crm.tenant'), current_setting('statement_timeout'), \
         current_setting('idle_in_transaction_session_timeout')",
    );
    let mut transaction = database.begin(OTHER_TENANT, None).await.unwrap();
    let set: (String, String, String) = transaction.fetch_one("settings", tenant).await.unwrap();
    assert_eq!(set, (OTHER_TENANT.to_string(), "10s".to_owned(), "10s".to_owned()));
    drop(transaction);
    for nth in 0..40 {
        let call = work(database.clone(), TENANT, 1_000 + nth);
        let _ = timeout(Duration::from_millis(1 + nth as u64 % 8), call).await;
    }
    until("all connections are back", async || database.state().used() == 0).await;
    assert!(notes.texts(OTHER_TENANT).await.is_empty());
    work(database.clone(), TENANT, 2_000).await.unwrap();
}

#[tokio::test]
async fn what_a_pooler_refuses_for_good_is_told_in_its_words() {
    let Some(Pooled { notes, pooler, .. }) = &pooled(&[]).await else { return };
    let check = async |url: String, words: &str| {
        let error = Database::connect(&Settings::new(url)).await.unwrap_err();
        assert!(error.is_lasting() && error.to_string().contains(words), "{error:?}");
    };
    check(pooler.url_as("nobody_of_this_name", notes.home.name()), "authentication failed").await;
    check(pooler.url_as(ROLE, "no_such_database"), "no_such_database").await;
}

#[tokio::test]
async fn migrations_through_a_pooler_are_refused_before_they_begin() {
    for settings in [&[][..], &["ignore_startup_parameters = extra_float_digits,options"]] {
        let Some(Pooled { notes, pooler, .. }) = &pooled(settings).await else { return };
        let url = pooler.url_as(ROLE, notes.home.name());
        let refused =
            crm_database::migrate::migrate(&url, &crate::support::migrations(), &crate::support::role()).await;
        assert!(matches!(refused, Err(MigrateError::Pooler)), "{refused:?}");
    }
}
