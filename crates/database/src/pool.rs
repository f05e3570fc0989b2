//! The pool, and the one way to a connection: a transaction that belongs to a tenant.
//!
//! Connections are not tested before each use. Opening a transaction is a round trip anyway and shows a dead connection
//! just as well; nothing has happened by then, so it is simply tried again with another. A test would double the round
//! trips of every read and still leave a gap between test and use.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crm_shares::Refused;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::acquire::{acquire, greet};
use crate::elders::Elders;
use crate::error::Diagnostic;
use crate::lease::Lease;
use crate::pooler::SESSION;
use crate::shared::{PoolState, Shared, connect_options};
use crate::transaction::Opening;
use crate::{Access, Error, Settings, TenantTransaction, metrics};

const IDLE_CONNECTION: Duration = Duration::from_secs(300);
const OLDEST_CONNECTION: Duration = Duration::from_secs(1_800);
/// Whose a connection is that is for no tenant: all that has none shares as one.
const NOBODY: Uuid = Uuid::nil();

/// Handle of a pool of connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    shared: Arc<Shared>,
}

impl Database {
    /// Makes the pool and tries it once.
    ///
    /// A server that is away does not keep a process from starting: that is logged, and each use tries again.
    ///
    /// # Errors
    /// Settings that can never work: a malformed URL, no such role or database, a refused password.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        let elders = Arc::new(Elders::default());
        let options = session_options(connect_options(settings)?, settings);
        let pool = pool_options(settings, Arc::clone(&elders)).connect_lazy_with(options);
        let shared = Shared::new(pool, elders, settings);
        metrics::observe_pool(&shared);
        let database = Self { shared };
        match database.check().await {
            Err(error) if error.is_lasting() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the database is away; going on without it");
                Ok(database)
            }
            Ok(()) => Ok(database),
        }
    }

    /// Begins a transaction that reads and writes rows of `tenant` only.
    ///
    /// One round trip. What is left until `deadline` bounds the wait for a connection and, as `statement_timeout`, each statement.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Exhausted`], [`Error::ShareTaken`], [`Error::DeadlineExceeded`].
    pub async fn begin(&self, tenant: Uuid, deadline: Option<Instant>) -> Result<TenantTransaction, Error> {
        self.begin_with(tenant, deadline, Access::ReadWrite).await
    }

    /// As [`begin`](Self::begin), for reads alone: the server refuses writes.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_read(&self, tenant: Uuid, deadline: Option<Instant>) -> Result<TenantTransaction, Error> {
        self.begin_with(tenant, deadline, Access::ReadOnly).await
    }

    /// As [`begin`](Self::begin), with the given access.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_with(
        &self,
        tenant: Uuid,
        deadline: Option<Instant>,
        access: Access,
    ) -> Result<TenantTransaction, Error> {
        let budget = Budget::new(&self.shared.settings, deadline);
        // Each idle connection may have died with the server; one more try opens a new one.
        let mut dead_ones_left = self.shared.settings.max_connections;
        loop {
            let lease = self.acquire(tenant, &budget).await?;
            let opening = Opening { tenant, access, statement_timeout: budget.statement_timeout()? };
            match budget.bound(TenantTransaction::open(lease, opening)).await {
                Err(Error::Unavailable(_)) if dead_ones_left > 0 => dead_ones_left -= 1,
                result => return result,
            }
        }
    }

    /// Asks the database for an answer: for `/readyz`.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn check(&self) -> Result<(), Error> {
        let budget = Budget::new(&self.shared.settings, None);
        let mut dead_ones_left = self.shared.settings.max_connections;
        loop {
            let mut lease = self.acquire(NOBODY, &budget).await?;
            let asking = async {
                greet(&mut lease).await?;
                Ok(lease.ping().await?)
            };
            match budget.bound(asking).await {
                Err(Error::Unavailable(_)) if dead_ones_left > 0 => dead_ones_left -= 1,
                result => return result,
            }
        }
    }

    /// How full the pool is now.
    pub fn state(&self) -> PoolState {
        self.shared.state()
    }

    /// Closes all connections, once they are given back.
    pub async fn close(&self) {
        self.shared.places.close();
        self.shared.pool.close().await;
    }

    async fn acquire(&self, tenant: Uuid, budget: &Budget) -> Result<Lease, Error> {
        let started = Instant::now();
        let lease = self.take_place_and_connection(tenant, budget).await;
        metrics::record_wait(started.elapsed());
        lease
    }

    async fn take_place_and_connection(&self, tenant: Uuid, budget: &Budget) -> Result<Lease, Error> {
        let Ok(place) = timeout_at(budget.queue_ends(), self.shared.places.take(tenant)).await else {
            return Err(if budget.is_over() { Error::DeadlineExceeded } else { why_no_place(&self.shared, tenant) });
        };
        match budget.bound(acquire(&self.shared, place?)).await {
            Err(Error::Exhausted) => Err(not_opened()),
            lease => lease,
        }
    }
}

/// Why a tenant that waited got no place.
fn why_no_place(shared: &Shared, tenant: Uuid) -> Error {
    // The driver goes on trying where a server refuses, so that its absence looks like a crowd, too. Who waits behind
    // others that wait for a connection to be opened waits for the server.
    if shared.state().used() > shared.in_use.load(Ordering::Relaxed) {
        return not_opened();
    }
    match shared.places.blame(tenant) {
        Refused::Full => Error::Exhausted,
        Refused::Share => Error::ShareTaken,
    }
}

fn not_opened() -> Error {
    Error::Unavailable(Diagnostic::new("no connection could be opened in time"))
}

/// What is left of two limits: the caller's deadline, and the pool's patience.
struct Budget {
    deadline: Option<Instant>,
    patience_ends: Instant,
    statement_timeout: Duration,
}

impl Budget {
    fn new(settings: &Settings, deadline: Option<Instant>) -> Self {
        let patience_ends = Instant::now() + settings.acquire_timeout;
        Self { deadline, patience_ends, statement_timeout: settings.statement_timeout }
    }

    fn statement_timeout(&self) -> Result<Duration, Error> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => Err(Error::DeadlineExceeded),
            Some(left) => Ok(left.min(self.statement_timeout)),
            None => Ok(self.statement_timeout),
        }
    }

    /// Until when a place is waited for: half of what is left, so that a deadline does not pass in a queue. Whoever is told
    /// in time knows what it lacked, and a balancer that the process is well.
    fn queue_ends(&self) -> Instant {
        let now = Instant::now();
        let half = self.deadline.map(|deadline| now + deadline.saturating_duration_since(now) / 2);
        half.map_or(self.patience_ends, |half| half.min(self.patience_ends))
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// The result, or which of the two limits came first.
    async fn bound<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let deadline_first = self.deadline.is_some_and(|deadline| deadline <= self.patience_ends);
        let until = self.deadline.map_or(self.patience_ends, |deadline| deadline.min(self.patience_ends));
        match timeout(until.saturating_duration_since(Instant::now()), work).await {
            Ok(result) => result,
            Err(_) if deadline_first => Err(Error::DeadlineExceeded),
            Err(_) => Err(Error::Exhausted),
        }
    }
}

fn pool_options(settings: &Settings, elders: Arc<Elders>) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(move |_, connection| {
            let admitted = elders.admit(connection.age);
            Box::pin(async move { Ok(admitted) })
        })
        .idle_timeout(IDLE_CONNECTION)
        .max_lifetime(OLDEST_CONNECTION)
}

/// For a session of our own: its mark, and limits for whatever is not said within a transaction.
fn session_options(options: PgConnectOptions, settings: &Settings) -> PgConnectOptions {
    options.options([SESSION.option()]).options([("statement_timeout", settings.statement_timeout.as_millis().max(1))])
}
