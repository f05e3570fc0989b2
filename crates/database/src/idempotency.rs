//! Request ids (AIP-155): the same id gives the same answer, for at least 24 hours.
//!
//! The id is claimed by an insert in the transaction that does the work. A second request with the same id waits at the
//! unique index until the first has ended: it then replays the answer that was committed, or, if the first was rolled
//! back, does the work itself. Work, id and answer are so committed together or not at all.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::error::Diagnostic;
use crate::migrate::Copied;
use crate::{Error, TenantTransaction, name};

/// The table, its policies and its sweep, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "request ids",
    sql: include_str!("../sql/idempotency_keys.sql"),
    relations: &["idempotency_keys"],
    functions: &["sweep_idempotency_keys"],
};

/// Rows forgotten by one sweep, so that none takes long.
const SWEEP_AT_MOST: i32 = 10_000;

/// Request ids of one service, kept in `<schema>.idempotency_keys`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Idempotency {
    claim: SqlStr,
    find: SqlStr,
    store: SqlStr,
    sweep: SqlStr,
    look: SqlStr,
}

/// The hash that an erased answer is kept under: no request has it.
pub const ERASED: [u8; 32] = [0; 32];

/// What a request id means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Never seen: do the work, then [`Idempotency::store`] the answer in the same transaction.
    First,
    /// Done before: give this answer again.
    Replay(Vec<u8>),
    /// Done before with another body: refuse, reason `REQUEST_ID_REUSED`.
    Reused,
    /// Done before; what it was answered was erased since, and with it what tells whether this is the same request.
    Erased,
}

impl Idempotency {
    /// Request ids of the service with this schema.
    ///
    /// # Errors
    /// A schema's name that would need quotes.
    pub fn new(schema: &str) -> Result<Self, Error> {
        let table = format!("{}.idempotency_keys", name::checked("schema", schema)?);
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        Ok(Self {
            claim: sql(format!(
                "insert into {table} (scope, request_id, body_hash) values ($1, $2, $3) on conflict do nothing"
            )),
            find: sql(format!("select body_hash, answer from {table} where scope = $1 and request_id = $2")),
            store: sql(format!("update {table} set answer = $3 where scope = $1 and request_id = $2")),
            sweep: sql(format!("select {schema}.sweep_idempotency_keys($1)")),
            look: sql(format!("select from {table} limit 0")),
        })
    }

    /// Claims the id for this transaction; waits for another that has claimed it and has not ended.
    ///
    /// `scope` names the method, such as `customers.CreateAccount`; `body_hash` is SHA-256 of the request without its id.
    ///
    /// # Errors
    /// The database's; [`Error::DeadlineExceeded`] if the other transaction takes too long.
    pub async fn check(
        &self,
        transaction: &mut TenantTransaction,
        scope: &str,
        request_id: Uuid,
        body_hash: [u8; 32],
    ) -> Result<Outcome, Error> {
        let claim = sqlx::query(self.claim.clone()).bind(scope).bind(request_id).bind(body_hash);
        if transaction.execute("claim_request_id", claim).await? == 1 {
            return Ok(Outcome::First);
        }
        let find = sqlx::query(self.find.clone()).bind(scope).bind(request_id);
        let (known_hash, answer): (Vec<u8>, Option<Vec<u8>>) = transaction.fetch_one("find_answer", find).await?;
        match answer {
            _ if known_hash == ERASED => Ok(Outcome::Erased),
            _ if known_hash != body_hash => Ok(Outcome::Reused),
            Some(answer) => Ok(Outcome::Replay(answer)),
            None => Err(Error::Fault(Diagnostic::new("a request id was committed without its answer"))),
        }
    }

    /// Keeps the answer for replays. Call it before the commit, in the transaction that [`check`](Self::check) called first.
    ///
    /// # Errors
    /// The database's; [`Error::Fault`] if the id was not claimed.
    pub async fn store(
        &self,
        transaction: &mut TenantTransaction,
        scope: &str,
        request_id: Uuid,
        answer: &[u8],
    ) -> Result<(), Error> {
        let store = sqlx::query(self.store.clone()).bind(scope).bind(request_id).bind(answer);
        match transaction.execute("store_answer", store).await? {
            1 => Ok(()),
            _ => Err(Error::Fault(Diagnostic::new("an answer without a claimed request id"))),
        }
    }

    /// Looks at the table, and at no row: whether the role may use the schema at all, and the schema is there.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(&self, transaction: &mut TenantTransaction) -> Result<(), Error> {
        transaction.execute("look_at_request_ids", sqlx::query(self.look.clone())).await.map(drop)
    }

    /// Forgets ids older than 24 hours, of all tenants, at most 10,000 at once. Answers how many; repeat while there are as many.
    ///
    /// Several replicas may sweep at once: each skips the rows that another holds.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep(&self, transaction: &mut TenantTransaction) -> Result<u64, Error> {
        let sweep = sqlx::query(self.sweep.clone()).bind(SWEEP_AT_MOST);
        let (swept,): (i64,) = transaction.fetch_one("sweep_request_ids", sweep).await?;
        Ok(u64::try_from(swept).unwrap_or_default())
    }
}
