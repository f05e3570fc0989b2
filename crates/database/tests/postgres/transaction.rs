//! How transactions begin and end, also when their caller goes away.

use std::time::Duration;

use crate::given_up::poll_times;
use crate::support::{Notes, OTHER_TENANT, TENANT, until};
use crm_database::{Access, Error};
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, timeout};

const INSERT: &str = "insert into notes.notes (text) values ($1)";
const SLEEP: &str = "select 1 from pg_sleep(60)";

fn one_connection(settings: &mut crm_database::Settings) {
    settings.max_connections = 1;
}

#[tokio::test]
async fn dropped_transaction_rolls_back_and_its_connection_is_used_again() {
    let notes = Notes::with(one_connection).await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    transaction.execute("insert_note", sqlx::query(INSERT).bind("lost")).await.unwrap();
    drop(transaction);
    assert!(notes.texts(TENANT).await.is_empty());
    assert_eq!(notes.database.state().open, 1);
}

#[tokio::test]
async fn commit_after_a_failed_statement_is_refused_instead_of_silently_lost() {
    let notes = Notes::new().await;
    notes.write(TENANT, "taken").await.unwrap();
    let mut seen = notes.database.begin(TENANT, None).await.unwrap();
    seen.execute("insert_note", sqlx::query(INSERT).bind("taken")).await.unwrap_err();
    assert!(matches!(seen.commit().await, Err(Error::Fault(_))));
    let mut unseen = notes.database.begin(TENANT, None).await.unwrap();
    (*unseen).execute(sqlx::query(INSERT).bind("taken")).await.unwrap_err();
    assert!(matches!(unseen.commit().await, Err(Error::Fault(_))));
    notes.write(TENANT, "the pool goes on").await.unwrap();
}

#[tokio::test]
async fn commit_after_a_failed_stream_or_a_cancelled_statement_is_refused() {
    use futures_util::TryStreamExt;
    let notes = Notes::new().await;
    let mut streamed = notes.database.begin(TENANT, None).await.unwrap();
    streamed.execute("insert_note", sqlx::query(INSERT).bind("lost")).await.unwrap();
    let divided = sqlx::query("select 1 / (3 - n) from generate_series(1, 5) as n");
    streamed.stream::<(i32,)>("divided", divided).unwrap().try_collect::<Vec<_>>().await.unwrap_err();
    assert!(matches!(streamed.commit().await, Err(Error::Fault(_))));
    let mut cancelled = notes.database.begin(TENANT, Some(Instant::now() + Duration::from_secs(1))).await.unwrap();
    cancelled.execute("insert_note", sqlx::query(INSERT).bind("lost")).await.unwrap();
    let sleep = cancelled.execute("sleep", sqlx::query(SLEEP));
    assert!(timeout(Duration::from_millis(100), sleep).await.is_err());
    assert!(matches!(cancelled.commit().await, Err(Error::Fault(_))));
    assert!(notes.texts(TENANT).await.is_empty());
}

#[tokio::test]
async fn savepoint_survives_a_failed_statement_inside_it() {
    let notes = Notes::new().await;
    notes.write(TENANT, "taken").await.unwrap();
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let mut savepoint = (*transaction).begin().await.unwrap();
    savepoint.execute(sqlx::query(INSERT).bind("taken")).await.unwrap_err();
    savepoint.rollback().await.unwrap();
    transaction.execute("insert_note", sqlx::query(INSERT).bind("kept")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(notes.texts(TENANT).await, ["kept", "taken"]);
}

#[tokio::test]
async fn read_only_transaction_refuses_writes() {
    let notes = Notes::new().await;
    for access in [Access::ReadOnly, Access::Snapshot] {
        let mut transaction = notes.database.begin_with(TENANT, None, access).await.unwrap();
        let result = transaction.execute("insert_note", sqlx::query(INSERT).bind("x")).await;
        assert!(matches!(result, Err(Error::Fault(fault)) if fault.sqlstate.as_deref() == Some("25006")));
    }
}

#[tokio::test]
async fn snapshot_sees_one_moment() {
    let notes = Notes::new().await;
    let mut snapshot = notes.database.begin_with(TENANT, None, Access::Snapshot).await.unwrap();
    let count = || sqlx::query("select count(*) from notes.notes");
    assert_eq!(snapshot.fetch_one::<(i64,)>("count", count()).await.unwrap(), (0,));
    notes.write(TENANT, "later").await.unwrap();
    assert_eq!(snapshot.fetch_one::<(i64,)>("count", count()).await.unwrap(), (0,));
}

#[tokio::test]
async fn cancelled_calls_leave_no_connection_inside_a_transaction() {
    let notes = Notes::with(|settings| settings.max_connections = 2).await;
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    let inside = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    // Cut off after every number of polls that a transaction takes, its begin included.
    for polls in 0..30 {
        let work = async {
            let mut transaction = notes.database.begin(OTHER_TENANT, None).await?;
            transaction.execute("insert_note", sqlx::query(INSERT).bind(format!("note {polls}"))).await?;
            transaction.commit().await
        };
        poll_times(Box::pin(work), polls).await;
        // Looked at each time: the next transaction on the same connection would end the one that was left open.
        until("nobody is inside a transaction", async || {
            let inside: i64 = sqlx::query_scalar(inside).fetch_one(&mut owner).await.unwrap();
            notes.database.state().used() == 0 && inside == 0
        })
        .await;
    }
    assert!(notes.texts(TENANT).await.is_empty());
}

#[tokio::test]
async fn deadline_ends_a_statement_on_the_server() {
    let notes = Notes::with(one_connection).await;
    let started = Instant::now();
    let mut transaction = notes.database.begin(TENANT, Some(started + Duration::from_millis(200))).await.unwrap();
    let result = transaction.execute("sleep", sqlx::query(SLEEP)).await;
    assert!(matches!(result, Err(Error::DeadlineExceeded)), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    drop(transaction);
    // Local to its transaction: the next one on the same connection has the pool's limit again.
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let limit = sqlx::query("select current_setting('statement_timeout')");
    assert_eq!(transaction.fetch_one::<(String,)>("limit", limit).await.unwrap().0, "10s");
}

#[tokio::test]
async fn passed_deadline_is_refused_without_asking_the_server() {
    let notes = Notes::new().await;
    let result = notes.database.begin(TENANT, Some(Instant::now())).await;
    assert!(matches!(result, Err(Error::DeadlineExceeded)));
}

#[tokio::test]
async fn wait_for_a_connection_is_bounded_by_pool_and_deadline() {
    let notes = Notes::with(|settings| {
        settings.max_connections = 1;
        settings.acquire_timeout = Duration::from_millis(300);
    })
    .await;
    let _held = notes.database.begin(TENANT, None).await.unwrap();
    // Who is told before its time is over knows why, and need not be asked again by others.
    for patience in [None, Some(Duration::from_secs(2)), Some(Duration::from_millis(50))] {
        let deadline = patience.map(|patience| Instant::now() + patience);
        assert!(matches!(notes.database.begin(TENANT, deadline).await, Err(Error::ShareTaken)), "{patience:?}");
        let deadline = patience.map(|patience| Instant::now() + patience);
        assert!(matches!(notes.database.begin(OTHER_TENANT, deadline).await, Err(Error::Exhausted)), "{patience:?}");
    }
    assert!(matches!(notes.database.begin(TENANT, Some(Instant::now())).await, Err(Error::DeadlineExceeded)));
}

#[tokio::test]
async fn cancelled_statement_gives_its_connection_back_when_the_server_has_ended_it() {
    let notes = Notes::with(one_connection).await;
    let deadline = Instant::now() + Duration::from_millis(400);
    let work = async {
        let mut transaction = notes.database.begin(TENANT, Some(deadline)).await?;
        transaction.execute("sleep", sqlx::query(SLEEP)).await
    };
    assert!(timeout(Duration::from_millis(100), work).await.is_err());
    assert!(notes.texts(TENANT).await.is_empty());
}

#[tokio::test]
async fn stream_gives_all_rows_and_can_be_dropped_early() {
    use futures_util::{StreamExt, TryStreamExt};
    let notes = Notes::new().await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let numbers = || sqlx::query("select n from generate_series(1, 5000) as n");
    let all: Vec<(i32,)> = transaction.stream::<(i32,)>("numbers", numbers()).unwrap().try_collect().await.unwrap();
    assert_eq!(all.len(), 5_000);
    let first: Option<Result<(i32,), Error>> = transaction.stream::<(i32,)>("numbers", numbers()).unwrap().next().await;
    assert_eq!(first.unwrap().unwrap(), (1,));
    let divided = sqlx::query("select 1 / (3 - n) from generate_series(1, 5) as n");
    let result: Result<Vec<(i32,)>, Error> =
        transaction.stream::<(i32,)>("divided", divided).unwrap().try_collect().await;
    assert!(matches!(result, Err(Error::Fault(fault)) if fault.sqlstate.as_deref() == Some("22012")));
}
