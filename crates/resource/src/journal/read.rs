//! Reading on from a cursor.

use crm_database::{Access, TenantTransaction};
use tokio::time::Instant;
use uuid::Uuid;

use super::cursor::{Cursor, Horizon, Tick};
use super::entry::Entry;
use super::snapshot::Snapshot;
use crate::refusal::CURSOR_EXPIRED;
use crate::{Call, Error, Store};

/// An id of a transaction that begins now at the latest. It is given to the one that asks, which writes nothing.
const DRAW: &str = "select pg_current_xact_id()::text";
/// Rows that are looked at for tenants that have something new.
const TENANTS_FROM: i32 = 10_000;

/// A batch is no larger, or a single change: a fraction of the longest message, whatever was written.
const MOST_BYTES: usize = 1 << 20;

/// Changes that come next.
#[derive(Debug)]
pub struct Batch {
    /// In their order.
    pub entries: Vec<Entry>,
    /// Where the next batch begins: to be kept with what is made of this one, at once.
    pub cursor: Cursor,
    /// Whether there was nothing beyond it.
    pub is_last: bool,
}

/// This moment, of one tenant.
struct Now {
    snapshot: Snapshot,
    high: i64,
    floor: Option<u64>,
}

impl Now {
    /// The batch that begins with it.
    fn tick(self) -> Tick {
        Tick { snapshot: self.snapshot, high: self.high, after: 0, floor: self.floor.unwrap_or_default() }
    }
}

impl Store {
    /// The tenant's changes after a cursor, so many at most.
    ///
    /// # Errors
    /// The cursor is older than what is kept; or the database's.
    pub async fn changes(&self, call: &Call, cursor: &Cursor, limit: u32) -> Result<Batch, Error> {
        self.changes_of(call.tenant, call.deadline, cursor, limit).await
    }

    /// The same for whoever is no call.
    pub(crate) async fn changes_of(
        &self,
        tenant: Uuid,
        deadline: Option<Instant>,
        cursor: &Cursor,
        limit: u32,
    ) -> Result<Batch, Error> {
        loop {
            let transaction = self.database.begin_with(tenant, deadline, Access::Snapshot).await?;
            if let Some(batch) = self.changes_now(transaction, tenant, cursor, limit).await? {
                return Ok(batch);
            }
        }
    }

    /// A cursor after all that `transaction` sees, which must be one of a single moment: who reads all records in it and
    /// goes on from there misses nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn cursor(&self, transaction: &mut TenantTransaction, tenant: Uuid) -> Result<Cursor, Error> {
        let now = self.now(transaction, tenant).await?;
        let latest = sqlx::query(self.journal.latest.clone()).bind(tenant);
        let (low,): (Option<i64>,) = transaction.fetch_one("find_latest_change", latest).await?;
        let seen = now.snapshot.up_to(draw(transaction).await?);
        let seen = seen.ok_or(Error::Inconsistent("too many transactions are open"))?;
        Ok(Cursor { seen, low: low.unwrap_or_default(), tick: None })
    }

    /// A cursor after all that can be seen now.
    ///
    /// # Errors
    /// The database's.
    pub async fn present(&self, call: &Call) -> Result<Cursor, Error> {
        let mut transaction = self.begin(call, Access::Snapshot).await?;
        let cursor = self.cursor(&mut transaction, call.tenant).await?;
        transaction.commit().await?;
        Ok(cursor)
    }

    /// Tenants that have changes after a horizon, and the next one. To be asked again while there are any.
    ///
    /// # Errors
    /// The horizon knows ids that are still to come: the database was set back; or the database's.
    pub async fn changed_tenants(&self, horizon: &Horizon) -> Result<(Vec<Uuid>, Horizon), Error> {
        let mut transaction = self.database.begin_with(Uuid::nil(), None, Access::Snapshot).await?;
        let now = self.now(&mut transaction, Uuid::nil()).await?.snapshot;
        let known = horizon.0.next();
        if known > now.next() && known > draw(&mut transaction).await? {
            return Err(Error::from(&CURSOR_EXPIRED));
        }
        let (late, next) = (texts(horizon.0.ended_until(&now)), horizon.0.next().to_string());
        let query = sqlx::query(self.journal.tenants.clone()).bind(late).bind(next).bind(TENANTS_FROM);
        let found: Vec<(Uuid, String, i64)> = transaction.fetch_all("find_changed_tenants", query).await?;
        transaction.commit().await?;
        let is_cut = found.iter().map(|(.., entries)| entries).sum::<i64>() >= i64::from(TENANTS_FROM);
        let last = found.iter().filter_map(|(_, last, _)| last.parse::<u64>().ok()).max();
        let reached = match last {
            // Which tenants there are needs no order of their changes, so a cut by ids does here.
            Some(last) if is_cut => now.before(last + 1),
            _ => now,
        };
        Ok((found.into_iter().map(|(tenant, ..)| tenant).collect(), Horizon(reached)))
    }

    /// The horizon after all that can be seen now.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn horizon(&self) -> Result<Horizon, Error> {
        let mut transaction = self.database.begin_with(Uuid::nil(), None, Access::Snapshot).await?;
        let now = self.now(&mut transaction, Uuid::nil()).await?;
        transaction.commit().await?;
        Ok(Horizon(now.snapshot))
    }

    /// Forgets what is older than is kept, of all tenants. Answers how many changes.
    ///
    /// # Errors
    /// The database's; what was forgotten until then stays so.
    pub async fn sweep_journal(&self) -> Result<u64, crm_database::Error> {
        const AT_ONCE: i32 = 2_000;
        let mut all = 0;
        loop {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let query = sqlx::query(self.journal.sweep.clone()).bind(self.journal_days).bind(AT_ONCE);
            let (swept,): (i64,) = transaction.fetch_one("sweep_journal", query).await?;
            transaction.commit().await?;
            all += u64::try_from(swept).unwrap_or_default();
            if swept == 0 {
                return Ok(all);
            }
        }
    }

    /// One try: none where ids have been given away to more transactions than can be looked at one by one.
    /// The transaction is one moment for all statements: what is swept in between would else be missed silently.
    async fn changes_now(
        &self,
        mut transaction: TenantTransaction,
        tenant: Uuid,
        cursor: &Cursor,
        limit: u32,
    ) -> Result<Option<Batch>, Error> {
        let now = self.now(&mut transaction, tenant).await?;
        check(cursor, &now, &mut transaction).await?;
        let is_new = cursor.tick.is_none();
        let mut tick = cursor.tick.clone().unwrap_or_else(|| now.tick());
        let mut entries = self.between(&mut transaction, tenant, cursor, &tick, limit).await?;
        if is_new && entries.is_empty() {
            transaction.commit().await?;
            return Ok(Some(Batch { entries, cursor: cursor.clone(), is_last: true }));
        }
        let drawn = if is_new { Some(draw(&mut transaction).await?) } else { None };
        transaction.commit().await?;
        if let Some(drawn) = drawn {
            let Some(snapshot) = tick.snapshot.up_to(drawn) else { return Ok(None) };
            tick.snapshot = snapshot;
        }
        let fitting = fitting(&entries);
        let is_cut = entries.len() >= limit as usize || fitting < entries.len();
        entries.truncate(fitting);
        tick.after = entries.last().map_or(tick.after, |last| last.sequence);
        let cursor = if is_cut {
            Cursor { tick: Some(tick), ..cursor.clone() }
        } else {
            Cursor { seen: tick.snapshot, low: cursor.low.max(tick.after), tick: None }
        };
        Ok(Some(Batch { entries, cursor, is_last: is_new && !is_cut }))
    }

    async fn now(&self, transaction: &mut TenantTransaction, tenant: Uuid) -> Result<Now, Error> {
        let query = sqlx::query(self.journal.tick.clone()).bind(tenant);
        let (snapshot, high, floor): (String, i64, Option<String>) =
            transaction.fetch_one("find_moment", query).await?;
        let snapshot = Snapshot::parse(&snapshot).ok_or(Error::Inconsistent("a snapshot is not in its form"))?;
        Ok(Now { snapshot, high, floor: floor.and_then(|floor| floor.parse().ok()) })
    }

    async fn between(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        cursor: &Cursor,
        tick: &Tick,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        let query = self.changes_query(tenant, cursor, tick, limit);
        Ok(transaction.fetch_all("read_changes", query).await?)
    }

    fn changes_query(
        &self,
        tenant: Uuid,
        Cursor { seen, low, .. }: &Cursor,
        Tick { snapshot, high, after, .. }: &Tick,
        limit: u32,
    ) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
        // Late are transactions that the cursor's snapshot knew as open. What they wrote beyond `low` is among the rest.
        let late = if after < low { texts(seen.ended_until(snapshot)) } else { Vec::new() };
        let query = sqlx::query(self.journal.changes.clone()).bind(tenant).bind(*low.max(after)).bind(*high);
        let query = query.bind(seen.text()).bind(snapshot.text());
        query.bind(late).bind(*after).bind(*low).bind(i64::from(limit))
    }
}

#[cfg(feature = "testkit")]
impl Store {
    /// The plan of the statement behind [`changes`](Self::changes), run.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain_changes(
        &self,
        call: &Call,
        cursor: &Cursor,
        limit: u32,
    ) -> Result<crm_database::plan::Plan, Error> {
        let mut transaction = self.begin(call, Access::Snapshot).await?;
        let now = self.now(&mut transaction, call.tenant).await?;
        let tick = now.tick();
        let query = self.changes_query(call.tenant, cursor, &tick, limit);
        Ok(crm_database::plan::explain_analyze(&mut transaction, query).await?)
    }

    /// The plans of a page of a record's history, and of its beginning.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain_history(
        &self,
        call: &Call,
        resource: &str,
        id: Uuid,
    ) -> Result<[crm_database::plan::Plan; 2], Error> {
        let mut transaction = self.begin(call, Access::ReadOnly).await?;
        let of_record =
            |sql: &sqlx::SqlStr| sqlx::query(sql.clone()).bind(call.tenant).bind(resource.to_owned()).bind(id);
        let page = of_record(&self.journal.history).bind(i64::MAX).bind(51_i64);
        let page = crm_database::plan::explain_analyze(&mut transaction, page).await?;
        let oldest = of_record(&self.journal.oldest);
        Ok([page, crm_database::plan::explain_analyze(&mut transaction, oldest).await?])
    }
}

/// Whether all that the cursor asks for is there.
async fn check(cursor: &Cursor, now: &Now, transaction: &mut TenantTransaction) -> Result<(), Error> {
    let is_swept = now.floor.is_some_and(|floor| cursor.has_missed(floor, &now.snapshot));
    // A server that was set back to an earlier state gives the same ids away again.
    let is_ahead = cursor.newest() > now.snapshot.next() && cursor.newest() > draw(transaction).await?;
    if is_swept || is_ahead { Err(Error::from(&CURSOR_EXPIRED)) } else { Ok(()) }
}

/// How many of them one message has room for: one at least.
fn fitting(entries: &[Entry]) -> usize {
    let mut left = MOST_BYTES;
    let fits = |entry: &&Entry| {
        left = left.saturating_sub(entry.size());
        left > 0
    };
    entries.iter().take_while(fits).count().max(1).min(entries.len())
}

async fn draw(transaction: &mut TenantTransaction) -> Result<u64, Error> {
    let (drawn,): (String,) = transaction.fetch_one("draw_transaction_id", sqlx::query(DRAW)).await?;
    drawn.parse().map_err(|_| Error::Inconsistent("an id of a transaction is no number"))
}

fn texts(ids: impl Iterator<Item = u64>) -> Vec<String> {
    ids.map(|id| id.to_string()).collect()
}
