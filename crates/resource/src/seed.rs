//! Demo data: the same in every run, loaded while the service serves.
//!
//! `copy` straight into a table with row-level security is refused, and rightly so. So the rows are copied into a
//! temporary table and inserted from there, as the service's role and under its policies, a chunk a transaction.
//! Rows that are there already stay as they are: a second run creates nothing.
//!
//! They have no entries in the journal: a newcomer waits for them. Whoever reads on is told that something is missing,
//! and reads all anew.

mod random;
mod shared;

use std::time::{Duration, Instant};

use crm_database::{Database, Error};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

pub use random::Random;
pub use shared::{BEGIN_MS, DEMO_ACCOUNTS, Known, SPAN_MS, USERS, account};

/// Fills tenants of a service, the first of which has this name, with so much, and is heard of while it does.
pub type Seed = fn(Database, String, Amount, Tell) -> Seeding;

/// What was seeded.
pub type Seeding = BoxFuture<'static, Result<Vec<Loaded>, Error>>;

/// How much is seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// To look at.
    Demo,
    /// To measure with: so many people, and all else in proportion.
    Large(u32),
}

/// What came into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Its name, without the schema.
    pub table: &'static str,
    /// New rows.
    pub rows: u64,
    /// How long it took; those of several tables that are filled by the same statement took it together.
    pub took: Duration,
}

/// Is told how far the loading is.
pub type Tell = Box<dyn FnMut(Progress) + Send>;

/// How far the loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is loaded, `accounts` for example.
    pub what: &'static str,
    /// Rows handled.
    pub done: u32,
    /// Rows there will be.
    pub of: u32,
}

/// How rows of a kind get into their table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The service's schema.
    pub schema: &'static str,
    /// Its name, and those of the tables that get rows beside it.
    pub names: &'static [&'static str],
    /// Finds the row with the id `$2` of the tenant `$1`.
    pub find: &'static str,
    /// Creates the temporary table `seed`.
    pub create: &'static str,
    /// Inserts its rows for the tenant `$1`, but for those that are there: answers one row, how many are new in each of the
    /// tables.
    pub insert: &'static str,
}

/// Rows of one tenant, in the text form of `copy`.
#[derive(Debug)]
pub struct Chunk {
    /// Whose.
    pub tenant: Uuid,
    /// A line each.
    pub rows: String,
    /// How many.
    pub count: u32,
}

/// Loads chunks as they are made, so many at a time: Postgres works on each with one core. No more of them are in memory.
/// Answers what is new in each table.
///
/// # Errors
/// The database's. What was loaded until then stays.
pub async fn fill(
    database: &Database,
    table: &'static Table,
    (chunks, of): (impl Iterator<Item = Chunk>, u32),
    at_a_time: usize,
    mut tell: impl FnMut(Progress),
) -> Result<Vec<Loaded>, Error> {
    let began = Instant::now();
    let (mut new, mut done) = (vec![0; table.names.len()], 0);
    let loading = chunks.map(|Chunk { tenant, rows, count }| {
        let database = database.clone();
        async move { load(&database, tenant, table, &rows).await.map(|new| (new, count)) }
    });
    let mut loading = stream::iter(loading).buffer_unordered(at_a_time);
    while let Some((more, count)) = loading.try_next().await? {
        new.iter_mut().zip(more).for_each(|(all, more)| *all += more);
        done += count;
        tell(Progress { what: table.names[0], done, of });
    }
    let took = began.elapsed();
    Ok(table.names.iter().zip(new).map(|(table, rows)| Loaded { table, rows, took }).collect())
}

/// Loads one chunk, given in the text form of `copy`. Answers how many rows are new in each table: a chunk whose last row is
/// there has been loaded before.
///
/// # Errors
/// The database's; nothing of the chunk is there then.
async fn load(database: &Database, tenant: Uuid, table: &Table, rows: &str) -> Result<Vec<u64>, Error> {
    let none = vec![0; table.names.len()];
    let Some(last) = last_id(rows) else { return Ok(none) };
    let mut transaction = database.begin(tenant, None).await?;
    let find = sqlx::query(table.find).bind(tenant).bind(last).persistent(false);
    if transaction.fetch_optional::<(Uuid,)>("find_seeded", find).await?.is_some() {
        transaction.commit().await?;
        return Ok(none);
    }
    transaction.execute("create_seed", sqlx::query(table.create).persistent(false)).await?;
    let mut copy = transaction.copy_in_raw("copy seed from stdin").await?;
    copy.send(rows.as_bytes()).await?;
    copy.finish().await?;
    let insert = sqlx::query(table.insert).bind(tenant).persistent(false);
    let (created,): (Vec<i64>,) = transaction.fetch_one("insert_seed", insert).await?;
    if created.iter().any(|created| *created > 0) {
        let gap = AssertSqlSafe(format!("select {}.leave_journal_gap()", table.schema));
        transaction.execute("leave_journal_gap", sqlx::query(gap).persistent(false)).await?;
    }
    transaction.commit().await?;
    Ok(created.into_iter().map(i64::unsigned_abs).collect())
}

/// The first column of the last row.
fn last_id(rows: &str) -> Option<Uuid> {
    let last = rows.trim_end_matches('\n').rsplit('\n').next()?;
    last.split('\t').next()?.parse().ok()
}

/// Texts as an array, in the text form of Postgres within that of `copy`.
pub fn texts(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\\\\\").replace('"', "\\\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// A moment, in milliseconds since 1970, in the text form of Postgres.
pub fn time(milliseconds: u64) -> String {
    let nanos = i128::from(milliseconds) * 1_000_000;
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (date, (hour, minute, second, millisecond)) = (time.date(), time.to_hms_milli());
    format!("{date} {hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}
