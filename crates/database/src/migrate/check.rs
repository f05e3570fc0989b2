//! The house rule that no review can forget: a table with a tenant is protected by the server itself.

use sqlx::PgConnection;

use super::MigrateError;

/// Refuses tables with a `tenant_id` that lack forced row-level security or any policy.
pub(super) async fn protection(owner: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    let unprotected: Vec<(String,)> = sqlx::query_as(
        "select format('%s.%s', tables.relnamespace::regnamespace, tables.relname)
         from pg_catalog.pg_class as tables
         join pg_catalog.pg_attribute as columns on columns.attrelid = tables.oid and columns.attname = 'tenant_id'
         where tables.relnamespace = $1::regnamespace and tables.relkind in ('r', 'p') and not columns.attisdropped
           and not (tables.relrowsecurity and tables.relforcerowsecurity
                    and exists (select from pg_catalog.pg_policy where polrelid = tables.oid))
         order by 1",
    )
    .bind(schema)
    .fetch_all(owner)
    .await?;
    if unprotected.is_empty() {
        return Ok(());
    }
    Err(MigrateError::Unprotected(unprotected.into_iter().map(|(name,)| name).collect()))
}
