//! A transaction of one tenant, begun in one round trip.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::Error;
use crate::access::Access;
use crate::acquire::greet;
use crate::error::Diagnostic;
use crate::lease::Lease;
use crate::metrics::{self, Outcome};
use crate::open::Open;

/// A transaction that sees the rows of one tenant.
///
/// Its own methods run a statement inside a span. It dereferences to the connection, too, for what they do not cover:
/// savepoints, `copy`, `explain`. Dropped without [`commit`](Self::commit), it rolls back.
#[derive(Debug)]
pub struct TenantTransaction {
    lease: Lease,
    access: Access,
    /// The last statement failed or was given up, so the server may turn a commit into a rollback, without an error.
    failed: bool,
    /// The connection was lent out or streamed from, so a statement may have failed unseen.
    lent: bool,
    ended: bool,
    _open: Open,
}

impl TenantTransaction {
    pub(crate) async fn open(mut lease: Lease, opening: Opening) -> Result<Self, Error> {
        greet(&mut lease).await?;
        lease.begin(opening.statements(), opening.statement_timeout).await?;
        Ok(Self { lease, access: opening.access, failed: false, lent: false, ended: false, _open: Open::here() })
    }

    /// Makes all changes durable and visible to others.
    ///
    /// # Errors
    /// Refused after a failed statement, since Postgres would answer such a commit with a silent rollback. A lost connection
    /// leaves open whether the changes were made: the request id decides when the caller tries again.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Fault(Diagnostic::new("commit after a failed statement")));
        }
        if self.lent {
            // Fails where a statement has failed; a round trip that those who use the methods of this type do not pay.
            self.lease.execute("select 1").await?;
        }
        self.lease.commit().await?;
        self.end(Outcome::Commit);
        Ok(())
    }

    /// Gives up all changes now. Dropping the transaction does the same in the background.
    ///
    /// # Errors
    /// The connection's, which has then been closed; the changes are given up in any case.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.lease.rollback().await
    }

    /// The connection, for a statement that counts as failed until it is [noted](Self::noted) as a success.
    pub(crate) fn watched(&mut self) -> &mut PgConnection {
        self.failed = true;
        self.lease.set_running(true);
        &mut self.lease
    }

    /// The connection, for a statement of which nobody may see the end.
    pub(crate) fn streamed(&mut self) -> &mut PgConnection {
        self.lent = true;
        self.lease.set_running(true);
        &mut self.lease
    }

    /// Whether statements may be prepared under a name.
    pub(crate) fn keeps_statements(&self) -> bool {
        self.lease.keeps_statements()
    }

    /// Takes note of how a watched statement ended.
    ///
    /// A server that answers has not given up the transaction: a statement that failed before was undone to a savepoint.
    pub(crate) fn noted<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.lease.set_running(false);
        self.failed = result.is_err();
        result.map_err(|error| self.lease.judge(error, self.access))
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        metrics::count_transaction(outcome);
    }
}

impl Deref for TenantTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.lease
    }
}

impl DerefMut for TenantTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.lent = true;
        self.lease.lend()
    }
}

impl Drop for TenantTransaction {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Outcome::Rollback);
        }
    }
}

/// What a transaction is opened with.
pub(crate) struct Opening {
    pub(crate) tenant: Uuid,
    pub(crate) access: Access,
    pub(crate) statement_timeout: Duration,
}

impl Opening {
    /// One text, for one round trip. The tenant is a UUID and the limits are numbers: nothing in it can be quoted out of.
    /// All is local to the transaction: nothing is left in a session that a pooler gives to another one next.
    fn statements(&self) -> SqlStr {
        let (begin, tenant) = (self.access.begin(), self.tenant);
        let (limit, idle) = (self.statement_timeout.as_millis().max(1), self.access.idle_limit().as_millis());
        let text = format!(
            "{begin}; set local crm.tenant = '{tenant}'; set local statement_timeout = {limit}; \
             set local idle_in_transaction_session_timeout = {idle}"
        );
        AssertSqlSafe(text).into_sql_str()
    }
}
