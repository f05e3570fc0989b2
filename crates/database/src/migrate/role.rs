//! The service's role and its rights.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::time::sleep;

use super::{MigrateError, Role};
use crate::{Error, name};

/// Roles belong to the whole server, so a migration of another database may change the same row at the same moment.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// Creates the role if it is missing, makes it one that can log in and nothing else, and sets its password.
pub(super) async fn ensure(owner: &mut PgConnection, role: &Role) -> Result<(), MigrateError> {
    let mut tries_left = TRIES;
    while let Err(error) = settle(owner, role).await {
        if tries_left == 0 || !is_concurrent_change(&error) {
            return Err(Error::from(error).into());
        }
        tries_left -= 1;
        sleep(BETWEEN_TRIES).await;
    }
    check(owner, &role.name).await
}

async fn settle(owner: &mut PgConnection, role: &Role) -> Result<(), sqlx::Error> {
    let known: Option<(bool,)> = sqlx::query_as("select rolcanlogin from pg_catalog.pg_roles where rolname = $1")
        .bind(&role.name)
        .fetch_optional(&mut *owner)
        .await?;
    let verb = if known.is_some() { "alter" } else { "create" };
    let password = role.password.as_deref().map(|password| format!(" password {}", name::literal(password)));
    // A role that can log in and has no password to set is left alone: most runs change nothing.
    if known == Some((true,)) && password.is_none() {
        return Ok(());
    }
    let statement = format!("{verb} role {} login{}", role.name, password.unwrap_or_default());
    owner.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

/// Somebody else created the role, or changed its row ("tuple concurrently updated"), between our look and our change.
fn is_concurrent_change(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("42710" | "23505" | "XX000"))
}

/// A role with any of these rights would see other tenants' rows, or could give itself the right to.
async fn check(owner: &mut PgConnection, name: &str) -> Result<(), MigrateError> {
    let (superuser, bypasses, creates_roles, is_owner): (bool, bool, bool, bool) = sqlx::query_as(
        "select rolsuper, rolbypassrls, rolcreaterole, pg_has_role(rolname, current_user, 'member') \
         from pg_catalog.pg_roles where rolname = $1",
    )
    .bind(name)
    .fetch_one(owner)
    .await?;
    let faults = [
        (superuser, "is a superuser"),
        (bypasses, "bypasses row-level security"),
        (creates_roles, "may create roles"),
        (is_owner, "is, or belongs to, the schema's owner"),
    ];
    match faults.into_iter().find(|(has, _)| *has) {
        Some((_, fault)) => Err(MigrateError::Role { role: name.to_owned(), fault }),
        None => Ok(()),
    }
}

/// Rows of the schema's tables, its sequences and functions; of the bookkeeping, nothing.
pub(super) async fn grant(owner: &mut PgConnection, role: &Role) -> Result<(), MigrateError> {
    let Role { name, schema, .. } = role;
    let statements = format!(
        "begin;
         revoke all on schema {schema} from public;
         revoke all on all functions in schema {schema} from public;
         grant usage on schema {schema} to {name};
         grant select, insert, update, delete on all tables in schema {schema} to {name};
         grant usage, select on all sequences in schema {schema} to {name};
         grant execute on all functions in schema {schema} to {name};
         revoke all on {schema}.migrations from {name};
         commit"
    );
    owner.execute(AssertSqlSafe(statements)).await?;
    Ok(())
}
