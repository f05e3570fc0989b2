//! A pooled connection that goes back clean or not at all, whenever its user is dropped.
//!
//! Two traps of the driver end here. A `begin` that is cancelled half-way leaves the server in a transaction that the driver
//! does not know of, and the next user would run inside it: such a connection is closed. And a connection that is given
//! back is pinged without a limit, so a peer that died silently would keep its place in the pool for ever: here it has a limit.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgTransactionManager;
use sqlx::{PgConnection, Postgres};
// Public, but re-exported by no other crate of the driver.
use sqlx_core::transaction::TransactionManager;
use tokio::runtime::Handle;

use crate::Error;

/// Longest that a rollback and the check that follows it may take before the connection is closed instead.
const RETURN_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Clean,
    /// A transaction is open.
    Open,
    /// A command that begins or ends one was sent, its answer not seen.
    Unsure,
}

#[derive(Debug)]
pub(crate) struct Lease {
    connection: PoolConnection<Postgres>,
    state: State,
    in_use: Arc<AtomicU32>,
}

impl Lease {
    /// `in_use` counts the connections that somebody has, for as long as this one is had.
    pub(crate) fn new(connection: PoolConnection<Postgres>, in_use: &Arc<AtomicU32>) -> Self {
        in_use.fetch_add(1, Ordering::Relaxed);
        Self { connection, state: State::Clean, in_use: Arc::clone(in_use) }
    }

    /// Opens a transaction with `statement`, which may be several, in one round trip.
    pub(crate) async fn begin(&mut self, statement: sqlx::SqlStr) -> Result<(), Error> {
        self.state = State::Unsure;
        PgTransactionManager::begin(&mut self.connection, Some(statement)).await?;
        self.state = State::Open;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        self.state = State::Unsure;
        PgTransactionManager::commit(&mut self.connection).await?;
        self.state = State::Clean;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.state = State::Unsure;
        PgTransactionManager::rollback(&mut self.connection).await?;
        self.state = State::Clean;
        Ok(())
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.in_use.fetch_sub(1, Ordering::Relaxed);
        if self.state == State::Open {
            PgTransactionManager::start_rollback(&mut self.connection);
        }
        let give_back = self.connection.return_to_pool();
        match (self.state, Handle::try_current()) {
            // Never run, only dropped: that closes the connection and frees its place in the pool.
            (State::Unsure, _) | (_, Err(_)) => drop(give_back),
            (_, Ok(runtime)) => drop(runtime.spawn(bounded(give_back))),
        }
    }
}

/// Sends the queued rollback and checks the connection. Past the limit the future is dropped, which closes it.
async fn bounded(give_back: impl Future<Output = ()>) {
    if tokio::time::timeout(RETURN_LIMIT, give_back).await.is_err() {
        tracing::warn!("a database connection did not answer when it was given back, and was closed");
    }
}
