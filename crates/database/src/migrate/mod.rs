//! Migrations and the service's role, applied by the owner.
//!
//! The owner owns the schema and everything in it. The service connects as a role that may read and write rows, sees
//! those of one tenant only, and can change neither tables nor policies.
//!
//! Any number of processes may migrate at once: one does the work, the others wait and find nothing to do.

mod check;
mod copies;
mod role;

use std::fmt;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tokio::time::{Instant, sleep};

use crate::error::{refuses_our_options, when_connecting};
use crate::pooler::SESSION;
use crate::shared::read_url;
use crate::{Error, name};

pub use copies::{Copied, check_copy};

/// A server that is just starting is waited for this long.
const SERVER_PATIENCE: Duration = Duration::from_secs(15);
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Another process that migrates is waited for this long.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);
/// First half of the advisory lock's key; the second is the schema's hash.
const LOCK_CLASS: i32 = 0x6372_6d64;

/// The role a service connects with: it owns nothing and bypasses nothing.
#[derive(Clone)]
pub struct Role {
    /// Name of the role, such as `crm_customers`.
    pub name: String,
    /// Schema of the service, such as `customers`.
    pub schema: String,
    /// Password to set; `None` leaves it as it is (a server that trusts its socket, or a password set by another).
    pub password: Option<String>,
}

impl fmt::Debug for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Role").field("name", &self.name).field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A failed migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database failed, cannot be reached, or the role's or schema's name cannot be used.
    #[error(transparent)]
    Database(#[from] Error),
    /// A migration failed, or does not fit what was applied before. The message names it; it holds the server's words.
    #[error("schema {schema}: {source}")]
    Migration {
        /// Schema of the service.
        schema: String,
        /// What failed.
        source: sqlx::migrate::MigrateError,
    },
    /// The role may not be what a service connects with.
    #[error("role {role} must not be used by a service: it {fault}")]
    Role {
        /// Name of the role.
        role: String,
        /// What it has or is.
        fault: &'static str,
    },
    /// Tables with a tenant that row-level security does not protect.
    #[error("without forced row-level security or a policy: {}", .0.join(", "))]
    Unprotected(Vec<String>),
    /// A table that all services have is another than the one that the house's statements use.
    #[error("schema {schema}: what is kept of {what} is not as this release expects it: {}", .differences.join("; "))]
    Copied {
        /// Schema of the service.
        schema: String,
        /// What the table is for.
        what: &'static str,
        /// What it lacks, and what it has instead.
        differences: Vec<String>,
    },
    /// The URL names a pooler, behind which a lock of the session's would be left to somebody else.
    #[error("migrations need a session of their own: the URL must name the server itself, not a pooler before it")]
    Pooler,
    /// Somebody else has been migrating for too long.
    #[error("another migration of schema {0} has not ended")]
    Locked(String),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Brings the service's schema and role up to date.
///
/// Creates the schema and the role if need be, applies what `migrator` has and the schema has not (remembered in
/// `<schema>.migrations`), grants the role its rights, and refuses to end with an unprotected table.
///
/// # Errors
/// Whatever kept the schema from being right afterwards; each migration is applied wholly or not at all.
pub async fn migrate(owner_url: &str, migrator: &Migrator, role: &Role) -> Result<(), MigrateError> {
    release(migrate_and_hold(owner_url, migrator, role).await?).await
}

/// As [`migrate`], and answers the owner's connection, which keeps other migrations out until it is [released](release):
/// for rows that only code can bring up to date.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_and_hold(owner_url: &str, migrator: &Migrator, role: &Role) -> Result<PgConnection, MigrateError> {
    name::checked("schema", &role.schema)?;
    name::checked("role", &role.name)?;
    let mut owner = connect(owner_url).await?;
    lock(&mut owner, &role.schema).await?;
    // The lock belongs to the session: closing it, here or by an error, frees it.
    role::ensure(&mut owner, role).await?;
    apply(&mut owner, migrator, &role.schema).await?;
    role::grant(&mut owner, role).await?;
    check::protection(&mut owner, &role.schema).await?;
    Ok(owner)
}

/// Lets other migrations in again.
///
/// # Errors
/// The connection's.
pub async fn release(owner: PgConnection) -> Result<(), MigrateError> {
    Ok(owner.close().await?)
}

async fn connect(owner_url: &str) -> Result<PgConnection, MigrateError> {
    let options = read_url(owner_url)?;
    let options = options.application_name("crm migrate").options([SESSION.option()]).disable_statement_logging();
    let patience_ends = Instant::now() + SERVER_PATIENCE;
    loop {
        let failed = match options.connect().await {
            Ok(mut owner) => {
                let is_ours = SESSION.is_ours(&mut owner).await?;
                return if is_ours { Ok(owner) } else { Err(MigrateError::Pooler) };
            }
            Err(error) if refuses_our_options(&error) => return Err(MigrateError::Pooler),
            Err(error) => when_connecting(error),
        };
        if failed.is_lasting() || Instant::now() >= patience_ends {
            return Err(failed.into());
        }
        sleep(BETWEEN_TRIES).await;
    }
}

async fn lock(owner: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    let patience = LOCK_PATIENCE.as_millis();
    owner.execute(AssertSqlSafe(format!("set lock_timeout = {patience}"))).await?;
    let taken = sqlx::query("select pg_advisory_lock($1, hashtext($2))").bind(LOCK_CLASS).bind(schema);
    match taken.execute(&mut *owner).await.map_err(Error::from) {
        Err(Error::DeadlineExceeded) => return Err(MigrateError::Locked(schema.to_owned())),
        result => result?,
    };
    // Tables that are in use are waited for as long as a migration likes.
    owner.execute("reset lock_timeout").await?;
    Ok(())
}

/// Applies with a bookkeeping table of the schema's own: services share a database, not their migrations.
async fn apply(owner: &mut PgConnection, migrator: &Migrator, schema: &str) -> Result<(), MigrateError> {
    owner.execute(AssertSqlSafe(format!("create schema if not exists {schema}"))).await?;
    let own = Migrator {
        migrations: migrator.migrations.clone(),
        table_name: format!("{schema}.migrations").into(),
        ignore_missing: migrator.ignore_missing,
        no_tx: migrator.no_tx,
        // Ours is taken already, and covers the role as well.
        locking: false,
        ..Migrator::DEFAULT
    };
    let result = own.run_direct(None, owner, false).await;
    result.map_err(|source| MigrateError::Migration { schema: schema.to_owned(), source })
}
