//! What happens to a connection after its user: it is brought to rest and goes back to the pool, or it is closed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgTransactionManager;
use sqlx::{Connection, Executor, PgConnection, Postgres};
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use crate::Error;
use crate::places::Held;

/// What a connection gets for coming to rest, beyond the time that the server may spend on one statement.
const GRACE: Duration = Duration::from_secs(5);
/// Of so many connections that somebody left in the middle of something, one forgets its statements.
const FORGETS_EVERY: u32 = 64;

/// A connection on its way back, with its place in the pool. Dropped, it is closed.
pub(crate) struct Returned {
    connection: Option<PoolConnection<Postgres>>,
    _place: Option<Held>,
}

impl Returned {
    pub(crate) fn new(connection: PoolConnection<Postgres>, place: Option<Held>) -> Self {
        Self { connection: Some(connection), _place: place }
    }

    /// Closes it, with a word to the server where that listens.
    pub(crate) async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = timeout(GRACE, connection.close()).await;
        }
    }

    /// The pool's own check, and back. Past the limit the future is dropped, which closes the connection.
    pub(crate) async fn into_pool(mut self) {
        if let Some(mut connection) = self.connection.take()
            && timeout(GRACE, connection.return_to_pool()).await.is_err()
        {
            tracing::warn!("a database connection did not answer when it was given back, and was closed");
        }
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        // By itself it would go back to the pool, however long that takes.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

/// Where a connection stands between transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No transaction is open.
    Clean,
    /// A transaction is open.
    Open,
    /// The command that opens one was sent, its answer not seen.
    Opening,
    /// The command that ends one was sent, its answer not seen.
    Ending,
}

/// How a user left a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(crate) state: State,
    /// A statement was given up.
    pub(crate) running: bool,
    /// Lent as it is, so that what is due on it is not known.
    pub(crate) lent: bool,
    /// Longest that the server works on one statement.
    pub(crate) limit: Duration,
}

/// Gives a connection back. One that has not come to rest within the limit of a statement, and a grace, is closed.
pub(crate) async fn give_back(mut returned: Returned, left: Left) {
    let Some(connection) = &mut returned.connection else { return };
    match timeout(left.limit + GRACE, come_to_rest(connection, left)).await {
        Ok(Ok(())) => returned.into_pool().await,
        Ok(Err(error)) => {
            let error = Error::from(error);
            tracing::debug!(%error, "a database connection was closed after its use");
        }
        Err(_) => tracing::warn!("a database connection did not come to rest in time, and was closed"),
    }
}

/// Waits for every answer that is due, and ends the transaction that may be open.
async fn come_to_rest(connection: &mut PgConnection, left: Left) -> Result<(), sqlx::Error> {
    match left.state {
        State::Clean | State::Open => {}
        State::Opening => {
            drain(connection, left).await?;
            // Not by the driver's own way of rolling back: it never learnt of the transaction.
            connection.execute("rollback").await?;
        }
        State::Ending => {
            drain(connection, left).await?;
            // The server has ended the transaction, the driver has not counted that. Something to roll back brings them
            // together again, without a warning that there was nothing.
            connection.execute("begin").await?;
        }
    }
    while PgTransactionManager::get_transaction_depth(connection) > 0 {
        PgTransactionManager::start_rollback(connection);
    }
    drain(connection, left).await?;
    if left.running { forget_statements(connection).await } else { Ok(()) }
}

/// A statement that was given up while it was being prepared stays on the server under a name that the driver has
/// forgotten: nothing for one, much for a caller who does it all day.
async fn forget_statements(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    static GIVEN_UP: AtomicU32 = AtomicU32::new(1);
    if !GIVEN_UP.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGETS_EVERY) {
        return Ok(());
    }
    connection.clear_cached_statements().await?;
    connection.execute("deallocate all").await.map(drop)
}

/// Reads until nothing more is due. A failed statement is no failure here: its words have been heard, or nobody is left
/// to hear them. On a connection that was lent, nobody knows what is due: there a failure is one.
async fn drain(connection: &mut PgConnection, left: Left) -> Result<(), sqlx::Error> {
    loop {
        match connection.flush().await {
            // Each is one answer fewer. A server that ends the session says so in the same way, and then hangs up.
            Err(sqlx::Error::Database(_)) if !left.lent => {}
            result => return result,
        }
    }
}
