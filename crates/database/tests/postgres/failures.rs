//! Each class of failure that a real server can be brought to: what the caller is told, and what becomes of the connection.

use crm_database::{Error, Settings};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::support::{Notes, OTHER_TENANT, ROLE, TENANT};

fn one_connection(settings: &mut Settings) {
    settings.max_connections = 1;
}

async fn backend(notes: &Notes) -> i32 {
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    transaction.fetch_one::<(i32,)>("pid", sqlx::query("select pg_backend_pid()")).await.unwrap().0
}

/// Raises what no test can bring a server to.
fn raise(sqlstate: &str, message: &str) -> String {
    format!("do $$ begin raise exception '{message}' using errcode = '{sqlstate}'; end $$")
}

const UNAVAILABLE: &str = "unavailable";
const OUTDATED: &str = "outdated";
const CONFLICT: &str = "conflict";
const LATE: &str = "late";
const CONSTRAINT: &str = "constraint";
const DEFECT: &str = "defect";

fn told(error: &Error) -> &'static str {
    match error {
        Error::Unavailable(_) | Error::Exhausted | Error::ShareTaken => UNAVAILABLE,
        Error::Refused(_) | Error::Settings(_) => "refused",
        Error::Outdated(_) => OUTDATED,
        Error::Conflict(_) => CONFLICT,
        Error::DeadlineExceeded => LATE,
        Error::Constraint(_) => CONSTRAINT,
        Error::Fault(_) => DEFECT,
    }
}

const KEPT: bool = true;
const CLOSED: bool = false;

#[tokio::test]
async fn each_class_has_its_word_for_the_caller_and_its_fate_for_the_connection() {
    let notes = Notes::with(one_connection).await;
    notes.write(TENANT, "taken").await.unwrap();
    let raised = |sqlstate: &str| raise(sqlstate, "as told");
    let own = |sql: &str| sql.to_owned();
    let table: Vec<(String, &str, bool)> = vec![
        (own("insert into notes.notes (text) values ('taken')"), CONSTRAINT, KEPT),
        (own("insert into notes.notes (text) values (null)"), CONSTRAINT, KEPT),
        (own("select 1 / 0"), DEFECT, KEPT),
        (own("select 'x'::uuid"), DEFECT, KEPT),
        (own("select no_such_column"), DEFECT, KEPT),
        (own("select from no_such_table"), DEFECT, KEPT),
        (own("drop table notes.notes"), DEFECT, KEPT),
        (own("select 1"), "", KEPT),
        (own("select pg_terminate_backend(pg_backend_pid())"), UNAVAILABLE, CLOSED),
        (own("select pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"), LATE, KEPT),
        (raised("40001"), CONFLICT, KEPT),
        (raised("40P01"), CONFLICT, KEPT),
        (raised("40003"), UNAVAILABLE, CLOSED),
        (raised("55P03"), LATE, KEPT),
        (raised("08006"), UNAVAILABLE, CLOSED),
        (raised("57P02"), UNAVAILABLE, CLOSED),
        (raised("57P03"), UNAVAILABLE, CLOSED),
        (raised("53100"), UNAVAILABLE, KEPT),
        (raised("53200"), UNAVAILABLE, KEPT),
        (raised("58030"), UNAVAILABLE, KEPT),
        (raised("26000"), OUTDATED, CLOSED),
        (raised("0A000"), DEFECT, KEPT),
        (raised("XX000"), DEFECT, KEPT),
        (raise("XX000", "cache lookup failed for index 16384"), OUTDATED, CLOSED),
        (raise("XX000", "could not open relation with OID 16384"), OUTDATED, CLOSED),
        (raised("25P02"), DEFECT, KEPT),
        (raised("54001"), DEFECT, KEPT),
    ];
    for (sql, expected, kept) in table {
        let before = backend(&notes).await;
        let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
        let statement = sqlx::query(AssertSqlSafe(sql.clone()));
        let result = transaction.execute("attempt", statement).await;
        assert_eq!(result.as_ref().err().map_or("", told), expected, "{sql}: {result:?}");
        drop(transaction);
        assert_eq!(backend(&notes).await == before, kept, "{sql}");
    }
}

/// The server ends the session: the next statement finds out, the next transaction does not notice.
#[tokio::test]
async fn transaction_that_idles_too_long_is_ended_and_its_connection_gone() {
    let notes = Notes::with(one_connection).await;
    let before = backend(&notes).await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let limit = "set local idle_in_transaction_session_timeout = 20";
    transaction.execute("limit", sqlx::query(limit)).await.unwrap();
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    crate::support::until("the session ends", async || {
        let living = "select count(*) from pg_stat_activity where pid = $1";
        sqlx::query_scalar::<_, i64>(living).bind(before).fetch_one(&mut owner).await.unwrap() == 0
    })
    .await;
    let error = transaction.execute("one", sqlx::query("select 1")).await.unwrap_err();
    // The pipe may break before the server's word is read.
    assert!([LATE, UNAVAILABLE].contains(&told(&error)), "{error:?}");
    drop(transaction);
    assert_ne!(backend(&notes).await, before);
}

#[tokio::test]
async fn statement_after_a_failed_one_is_a_defect_and_costs_no_connection() {
    let notes = Notes::with(one_connection).await;
    let before = backend(&notes).await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    transaction.execute("fails", sqlx::query("select 1 / 0")).await.unwrap_err();
    let after = transaction.execute("one", sqlx::query("select 1")).await.unwrap_err();
    assert!(matches!(&after, Error::Fault(fault) if fault.sqlstate.as_deref() == Some("25P02")), "{after:?}");
    drop(transaction);
    assert_eq!(backend(&notes).await, before);
}

/// Opens so many connections at once, each with the statement prepared, and for a tenant of its own.
async fn warm(notes: &Notes, connections: u128) {
    let mut held = Vec::new();
    for tenant in 0..connections {
        let mut transaction = notes.database.begin(Uuid::from_u128(tenant), None).await.unwrap();
        transaction.fetch_all::<(String,)>("all_notes", sqlx::query(ALL)).await.unwrap();
        held.push(transaction);
    }
    drop(held);
    crate::support::until("back", async || notes.database.state().used() == 0).await;
}

const ALL: &str = "select text from notes.notes order by text";

async fn read(notes: &Notes) -> Result<(), Error> {
    let mut transaction = notes.database.begin_read(TENANT, None).await?;
    transaction.fetch_all::<(String,)>("all_notes", sqlx::query(ALL)).await.map(drop)
}

/// One transaction meets the change, and all that come after it do not.
async fn one_meets_it(notes: &Notes, change: &str) {
    warm(notes, 4).await;
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    owner.execute(AssertSqlSafe(change.to_owned())).await.unwrap();
    let error = read(notes).await.unwrap_err();
    assert!(matches!(error, Error::Outdated(_)) && error.is_retryable(), "{change}: {error:?}");
    for _ in 0..8 {
        read(notes).await.unwrap();
    }
}

#[tokio::test]
async fn changed_schema_is_met_once_and_not_by_each_connection() {
    let notes = Notes::with(|settings| settings.max_connections = 4).await;
    one_meets_it(&notes, "alter table notes.notes alter column text type varchar(200)").await;
    one_meets_it(&notes, "alter table notes.notes alter column text type text collate \"C\"").await;
}

#[tokio::test]
async fn prepared_statement_that_is_gone_or_there_already_is_met_once() {
    let notes = Notes::with(one_connection).await;
    let meddle = async |sql: &'static str| {
        let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
        (*transaction).execute(sql).await.unwrap();
        transaction.commit().await.unwrap();
    };
    warm(&notes, 1).await;
    meddle("deallocate all").await;
    let error = read(&notes).await.unwrap_err();
    assert!(matches!(&error, Error::Outdated(fault) if fault.sqlstate.as_deref() == Some("26000")), "{error:?}");
    // That connection was closed: on a new one, this is the name of the first statement that will be prepared.
    meddle("prepare sqlx_s_1 as select 1").await;
    let error = read(&notes).await.unwrap_err();
    assert!(matches!(&error, Error::Outdated(fault) if fault.sqlstate.as_deref() == Some("42P05")), "{error:?}");
    read(&notes).await.unwrap();
}

#[tokio::test]
async fn read_only_sessions_are_thrown_away_and_a_healed_server_is_written_to_at_once() {
    let notes = Notes::with(|settings| settings.max_connections = 4).await;
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    let setting = format!("role {ROLE} in database {}", notes.home.name());
    let on = format!("alter {setting} set default_transaction_read_only = on");
    let reset = format!("alter {setting} reset default_transaction_read_only");
    notes.write(TENANT, "before").await.unwrap();
    notes.database.close().await;

    owner.execute(AssertSqlSafe(on)).await.unwrap();
    let notes = Notes { database: reconnected(&notes).await, ..notes };
    warm(&notes, 4).await;
    let first = notes.write(TENANT, "now").await.unwrap_err();
    assert!(matches!(first, Error::Outdated(_)), "a younger connection may know better: {first:?}");
    for _ in 0..3 {
        let error = notes.write(OTHER_TENANT, "now").await.unwrap_err();
        assert!(error.is_retryable() && error.class() == "25006", "{error:?}");
        read(&notes).await.unwrap();
    }
    owner.execute(AssertSqlSafe(reset)).await.unwrap();
    // Those that only read are still there, and none of them costs more than another run.
    let mut nth = 0;
    crate::support::until("eight writes, one after the other", async || {
        for _ in 0..8 {
            nth += 1;
            let text = format!("healed {nth}");
            let written = match notes.write(TENANT, &text).await {
                Err(Error::Outdated(_)) => notes.write(TENANT, &text).await,
                result => result,
            };
            // For a moment after the server itself has said it, its word holds.
            if written.is_err() {
                return false;
            }
        }
        true
    })
    .await;
}

async fn reconnected(notes: &Notes) -> crm_database::Database {
    let settings = Settings { max_connections: 4, ..Settings::new(notes.home.url_as(ROLE, "")) };
    crm_database::Database::connect(&settings).await.unwrap()
}
