//! Callers who give up: their connections stay, and nothing of theirs stays on them.

use std::time::Duration;

use crm_database::{Database, Error};
use futures_util::StreamExt;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::support::{Notes, OTHER_TENANT, TENANT, until};

const INSERT: &str = "insert into notes.notes (text) values ($1)";
const POOL: u32 = 4;

fn quick(settings: &mut crm_database::Settings) {
    settings.max_connections = POOL;
    settings.statement_timeout = Duration::from_millis(300);
}

async fn backend(database: &Database) -> i32 {
    let mut transaction = database.begin(TENANT, None).await.unwrap();
    let (pid,) = transaction.fetch_one("pid", sqlx::query("select pg_backend_pid()")).await.unwrap();
    transaction.commit().await.unwrap();
    pid
}

/// Sessions that the database has ever had.
async fn sessions(owner: &mut PgConnection) -> i64 {
    let sessions = "select sessions from pg_stat_database where datname = current_database()";
    sqlx::query_scalar(sessions).fetch_one(owner).await.unwrap()
}

/// Work of every kind that can be given up in the middle of it.
async fn work(database: Database, tenant: Uuid, nth: u64) -> Result<(), Error> {
    // The server knows the deadline as well, and ends what takes longer.
    let deadline = Instant::now() + Duration::from_millis(3 + nth % 8);
    let mut transaction = database.begin(tenant, Some(deadline)).await?;
    let text = format!("note {nth} of {tenant}");
    transaction.execute("insert_note", sqlx::query(INSERT).bind(text)).await?;
    match nth % 4 {
        0 => {
            let numbers = sqlx::query("select n from generate_series(1, 100000) as n");
            let mut rows = transaction.stream::<(i32,)>("numbers", numbers)?;
            while let Some(row) = rows.next().await {
                row?;
            }
        }
        1 => {}
        _ => drop(transaction.execute("sleep", sqlx::query("select 1 from pg_sleep(10)")).await?),
    }
    transaction.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_give_up_open_no_sessions_and_leave_nothing_behind() {
    let notes = Notes::with(quick).await;
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    let before = sessions(&mut owner).await;
    let mut callers = JoinSet::new();
    for nth in 0..400_u64 {
        let tenant = if nth % 5 < 2 { TENANT } else { OTHER_TENANT };
        callers.spawn(timeout(Duration::from_millis(2 + nth % 9), work(notes.database.clone(), tenant, nth)));
        // Few enough to come as far as a statement.
        if callers.len() >= 2 * POOL as usize {
            callers.join_next().await;
        }
    }
    callers.join_all().await;
    until("all connections are back", async || notes.database.state().used() == 0).await;

    for tenant in [TENANT, OTHER_TENANT] {
        let theirs = notes.texts(tenant).await;
        assert!(theirs.iter().all(|text| text.ends_with(&tenant.to_string())), "{theirs:?}");
    }
    until("ours are back, too", async || notes.database.state().used() == 0).await;
    let inside = "select pid, state, query from pg_stat_activity where datname = current_database() and state <> 'idle'
        and backend_type = 'client backend' and pid <> pg_backend_pid()";
    let inside: Vec<(i32, String, String)> = sqlx::query_as(inside).fetch_all(&mut owner).await.unwrap();
    assert!(inside.is_empty(), "still at work, or inside a transaction: {inside:?}");
    // Sessions are counted when they next have nothing to do, or at their end.
    notes.database.close().await;
    let mut opened = 0;
    until("the sessions are counted", async || {
        opened = sessions(&mut owner).await - before;
        opened > 0
    })
    .await;
    assert!(opened <= i64::from(2 * POOL), "{opened} sessions for a pool of {POOL}");
}

#[tokio::test]
async fn one_connection_survives_being_given_up_at_every_step() {
    let notes = Notes::with(|settings| settings.max_connections = 1).await;
    let first = backend(&notes.database).await;
    let numbers = || sqlx::query("select n from generate_series(1, 20000) as n");
    for polls in 0..40 {
        let work = async {
            let mut transaction = notes.database.begin(OTHER_TENANT, None).await?;
            // Never prepared before, so that preparing is given up, too.
            let text = sqlx::AssertSqlSafe(format!("{INSERT} -- {polls}"));
            transaction.execute("insert_note", sqlx::query(text).bind(format!("note {polls}"))).await?;
            transaction.fetch_all::<(i32,)>("numbers", numbers()).await?;
            transaction.commit().await
        };
        poll_times(Box::pin(work), polls).await;
        assert_eq!(backend(&notes.database).await, first, "given up after {polls} polls");
    }
    let mut streaming = notes.database.begin(TENANT, None).await.unwrap();
    let row = streaming.stream::<(i32,)>("numbers", numbers()).unwrap().next().await;
    assert_eq!(row.unwrap().unwrap(), (1,));
    drop(streaming);
    assert_eq!(backend(&notes.database).await, first, "a stream that was dropped half-way");
    assert!(notes.texts(TENANT).await.is_empty());
}

/// Polls the future this often, waiting for its wake-up in between, then drops it.
pub(crate) async fn poll_times(mut work: impl Future<Output = Result<(), Error>> + Unpin, times: usize) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        std::pin::Pin::new(&mut work).poll(context).map(|result| result.unwrap())
    })
    .await;
}

#[tokio::test]
async fn connection_that_is_being_opened_for_a_caller_who_gives_up_goes_to_the_next() {
    let notes = Notes::with(quick).await;
    until("the first one is back", async || notes.database.state().used() == 0).await;
    let first = backend(&notes.database).await;
    until("back again", async || notes.database.state().used() == 0).await;
    // It is in use, so each of these would open another one.
    let held = notes.database.begin(TENANT, None).await.unwrap();
    for polls in 1..4 {
        let begin = async { notes.database.begin(TENANT, None).await.map(drop) };
        poll_times(Box::pin(begin), polls).await;
        until("opened all the same", async || notes.database.state().idle == 1).await;
        assert_eq!(notes.database.state().open, 2);
    }
    let other = backend(&notes.database).await;
    drop(held);
    until("both are back", async || notes.database.state().idle == 2).await;
    let pids = [backend(&notes.database).await, backend(&notes.database).await];
    assert!(other != first && pids.iter().all(|pid| [first, other].contains(pid)), "{first} {other} {pids:?}");
}

#[tokio::test]
async fn connection_that_was_lent_for_a_copy_which_nobody_ended_is_closed() {
    let notes = Notes::with(|settings| settings.max_connections = 1).await;
    let first = backend(&notes.database).await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let create = "create temporary table lines on commit drop as select text from notes.notes with no data";
    transaction.execute("create_lines", sqlx::query(create)).await.unwrap();
    let mut copy = transaction.copy_in_raw("copy lines from stdin").await.unwrap();
    copy.send(b"half a line".as_slice()).await.unwrap();
    drop(copy);
    drop(transaction);
    assert_ne!(backend(&notes.database).await, first, "nobody knows what is still due on it");
    assert!(notes.texts(TENANT).await.is_empty());
}

#[tokio::test]
async fn statement_that_runs_on_holds_its_place_no_longer_than_its_own_limit() {
    let notes = Notes::with(|settings| {
        quick(settings);
        settings.max_connections = 1;
    })
    .await;
    let first = backend(&notes.database).await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let sleep = transaction.execute("sleep", sqlx::query("select 1 from pg_sleep(60)"));
    assert!(timeout(Duration::from_millis(20), sleep).await.is_err());
    drop(transaction);
    assert_eq!(notes.database.state().used(), 1, "the place stays taken");
    assert_eq!(backend(&notes.database).await, first, "until the server has ended the statement");
}

#[tokio::test]
async fn statements_given_up_while_they_are_prepared_do_not_pile_up() {
    let notes = Notes::with(|settings| settings.max_connections = 1).await;
    let prepared = "select count(*) from pg_prepared_statements";
    for nth in 0..300 {
        let statement = sqlx::AssertSqlSafe(format!("{INSERT} -- {nth}"));
        let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
        let work = async { transaction.execute("insert_note", sqlx::query(statement).bind("x")).await.map(drop) };
        poll_times(Box::pin(work), 1).await;
    }
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let (left,): (i64,) = transaction.fetch_one("prepared", sqlx::query(prepared)).await.unwrap();
    assert!(left < 200, "{left} statements of 300 are still prepared");
}
