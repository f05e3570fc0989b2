//! A pooled connection that goes back clean or not at all, whenever its user is dropped.
//!
//! Whoever gives up half-way leaves a connection on which an answer is still due, or a transaction open that the driver
//! does not know of. `statement_timeout` ends what still runs, so the answers are waited for in the background, within a
//! bound, and the transaction is ended by name: most callers who give up do so for a deadline that the server knows as
//! well, and a new session for each of them would let them wear the server out.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgTransactionManager;
use sqlx::{Connection, PgConnection, Postgres, SqlStr};
// Public, but re-exported by no other crate of the driver.
use sqlx_core::transaction::TransactionManager;
use tokio::runtime::Handle;

use crate::Error;
use crate::access::Access;
use crate::error::Diagnostic;
use crate::give_back::{Left, Returned, State, give_back};
use crate::places::Held;
use crate::shared::Shared;
use crate::sqlstate::Fate;

/// What a write is told in a read-only transaction.
const READ_ONLY: &str = "25006";

#[derive(Debug)]
pub(crate) struct Lease {
    /// Taken when the lease is dropped, and only then.
    connection: Option<PoolConnection<Postgres>>,
    place: Option<Held>,
    shared: Arc<Shared>,
    taken: Instant,
    state: State,
    /// Nothing was prepared on it yet: most likely it was opened for this lease.
    fresh: bool,
    /// Lent as it is, so that what went over it is not known.
    lent: bool,
    doomed: bool,
    /// A statement was sent, its answer not seen to the end.
    running: bool,
    /// Longest that the server works on one statement.
    limit: Duration,
}

impl Lease {
    pub(crate) fn new(connection: PoolConnection<Postgres>, place: Held, shared: Arc<Shared>) -> Self {
        let fresh = connection.cached_statements_size() == 0;
        Self {
            connection: Some(connection),
            place: Some(place),
            shared,
            taken: Instant::now(),
            state: State::Clean,
            fresh,
            lent: false,
            doomed: false,
            running: false,
            limit: Duration::ZERO,
        }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether prepared statements stay with this connection. Behind a pooler each transaction may get another session.
    pub(crate) fn keeps_statements(&self) -> bool {
        !self.shared.is_pooled()
    }

    /// A pooler was met.
    pub(crate) fn use_pooler(&self) {
        self.shared.use_pooler();
    }

    /// Opens a transaction with `statement`, which may be several, in one round trip; it limits statements to `limit`.
    pub(crate) async fn begin(&mut self, statement: SqlStr, limit: Duration) -> Result<(), Error> {
        (self.state, self.limit) = (State::Opening, limit);
        PgTransactionManager::begin(self, Some(statement)).await?;
        self.state = State::Open;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        self.state = State::Ending;
        PgTransactionManager::commit(self).await?;
        self.state = State::Clean;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.state = State::Ending;
        PgTransactionManager::rollback(self).await?;
        self.state = State::Clean;
        Ok(())
    }

    /// The connection leaves our sight.
    pub(crate) fn lend(&mut self) -> &mut PgConnection {
        self.lent = true;
        self
    }

    /// A statement begins, or has been answered.
    pub(crate) fn set_running(&mut self, running: bool) {
        self.running = running;
    }

    /// Draws from a failure what it means for this connection and for others; answers what the caller is told.
    pub(crate) fn judge(&mut self, error: Error, access: Access) -> Error {
        if let Error::Outdated(fault) = &error
            && fault.sqlstate.as_deref() == Some(READ_ONLY)
        {
            return self.only_reads(fault.clone(), access);
        }
        let fate = error.fate();
        self.doomed |= fate != Fate::Kept;
        if fate == Fate::ClosedWithItsElders {
            self.shared.elders.dismiss(self.taken);
        }
        error
    }

    /// A write was refused as one in a read-only transaction.
    fn only_reads(&mut self, fault: Diagnostic, access: Access) -> Error {
        if access != Access::ReadWrite {
            // As we asked for: our defect.
            return Error::Fault(fault);
        }
        self.doomed = true;
        if self.fresh {
            // No connection is younger: it is the server that only reads.
            self.shared.elders.note_read_only();
            return Error::Unavailable(fault);
        }
        if self.shared.elders.is_read_only() {
            return Error::Unavailable(fault);
        }
        self.shared.elders.dismiss(self.taken);
        Error::Outdated(fault)
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    #[allow(clippy::expect_used, reason = "it is taken by drop alone")]
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a lease has its connection")
    }
}

impl DerefMut for Lease {
    #[allow(clippy::expect_used, reason = "it is taken by drop alone")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a lease has its connection")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let returned = Returned::new(connection, self.place.take());
        let Self { state, running, lent, limit, .. } = *self;
        match Handle::try_current() {
            // Dropped, it closes the connection and frees its place in the pool.
            Err(_) => drop(returned),
            Ok(runtime) if self.doomed => drop(runtime.spawn(returned.close())),
            Ok(runtime) => drop(runtime.spawn(give_back(returned, Left { state, running, lent, limit }))),
        }
    }
}
