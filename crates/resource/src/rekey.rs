//! Stored keys made anew, where an earlier release made them in another way.
//!
//! Run by the owner, under the lock of migrations and before the release serves. A thousand rows a transaction; a row
//! that somebody changes meanwhile is left to them. Cut off, the next run begins again and finds less to do.

use crm_database::Error;
use crm_values::KEYS;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row as _};
use uuid::Uuid;

use crate::AnyResource;

/// Makes the keys of all rows as this release does, if it has not been done. Answers how many rows have changed.
pub(crate) async fn make(owner: &mut PgConnection, schema: &str, resources: &[AnyResource]) -> Result<u64, Error> {
    let version = format!("select version from {schema}.key_state");
    let made: i32 = sqlx::query_scalar(AssertSqlSafe(version)).fetch_one(&mut *owner).await?;
    if made >= KEYS {
        return Ok(0);
    }
    sqlx::query("set crm.make_keys = 'on'").execute(&mut *owner).await?;
    let mut changed = 0;
    // Whatever is left over goes as well; what is searched meanwhile finds what has been made so far.
    if resources.iter().any(|resource| !resource.kind.terms.is_empty()) {
        owner.execute(AssertSqlSafe(format!("truncate {schema}.search_terms"))).await?;
    }
    for resource in resources {
        changed += Table::of(resource).make(owner).await?;
    }
    let done = format!("update {schema}.key_state set version = $1");
    sqlx::query(AssertSqlSafe(done)).bind(KEYS).execute(&mut *owner).await?;
    sqlx::query("reset crm.make_keys").execute(&mut *owner).await?;
    Ok(changed)
}

struct Table<'r> {
    resource: &'r AnyResource,
    rows: String,
    update: String,
    add_terms: String,
}

impl<'r> Table<'r> {
    fn of(resource: &'r AnyResource) -> Self {
        let (table, row) = (resource.kind.table, (resource.columns)());
        let columns: String = row.fields().map(|column| format!("{column}, ")).collect();
        let keys: Vec<_> = row.keys().map(|(column, _)| column).collect();
        let sets: Vec<_> = keys.iter().zip(1..).map(|(column, nth)| format!("{column} = $4[{nth}]")).collect();
        let rows = format!(
            "select tenant_id, id, {columns}version, create_time, update_time, delete_time, \
             array[{}]::text[] as stored_keys from {table} where (tenant_id, id) > ($1, $2) \
             order by tenant_id, id limit 1000",
            keys.join(", ")
        );
        let update =
            format!("update {table} set {} where tenant_id = $1 and id = $2 and version = $3", sets.join(", "));
        let add_terms = format!(
            "insert into {}.search_terms (tenant_id, term, record_id) select * from unnest($1::uuid[], $2::text[], $3::uuid[]) \
             on conflict do nothing",
            resource.kind.schema()
        );
        Self { resource, rows, update, add_terms }
    }

    async fn make(&self, owner: &mut PgConnection) -> Result<u64, Error> {
        let (mut after, mut changed) = ((Uuid::nil(), Uuid::nil()), 0);
        loop {
            let mut batch = owner.begin().await?;
            let rows = sqlx::query(AssertSqlSafe(self.rows.clone())).bind(after.0).bind(after.1);
            let rows = rows.fetch_all(&mut *batch).await?;
            let Some(last) = rows.last() else { return Ok(changed) };
            after = (last.try_get("tenant_id")?, last.try_get("id")?);
            for row in &rows {
                let written = (self.resource.written)(row)?;
                let made: Vec<&str> = written.keys().map(|(_, key)| key).collect();
                if made != row.try_get::<Vec<String>, _>("stored_keys")? {
                    let update = sqlx::query(AssertSqlSafe(self.update.clone()));
                    let update = update.bind(row.try_get::<Uuid, _>("tenant_id")?).bind(row.try_get::<Uuid, _>("id")?);
                    let update = update.bind(row.try_get::<i64, _>("version")?).bind(made);
                    changed += update.execute(&mut *batch).await?.rows_affected();
                }
            }
            self.make_terms(&mut batch, &rows).await?;
            batch.commit().await?;
        }
    }

    async fn make_terms(&self, batch: &mut PgConnection, rows: &[PgRow]) -> Result<(), Error> {
        if self.resource.kind.terms.is_empty() {
            return Ok(());
        }
        let (mut tenants, mut terms, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let (tenant, id): (Uuid, Uuid) = (row.try_get("tenant_id")?, row.try_get("id")?);
            for term in (self.resource.terms)(row)? {
                tenants.push(tenant);
                terms.push(term);
                ids.push(id);
            }
        }
        let add = sqlx::query(AssertSqlSafe(self.add_terms.clone())).bind(tenants).bind(terms).bind(ids);
        add.execute(batch).await?;
        Ok(())
    }
}
