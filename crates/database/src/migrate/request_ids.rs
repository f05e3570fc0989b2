//! A service's migration holds a copy of [`TABLE_SQL`], for migrations never change. This compares the two: the statements
//! of this crate rely on the table, and on its policies, which keep one tenant's answers from another.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::MigrateError;
use crate::idempotency::TABLE_SQL;
use crate::name;

/// Where the table is made that is expected; never committed.
const SCRATCH: &str = "crm_expected_request_ids";

/// A line for whatever a statement could notice. Roles are not told apart by name: the owner may have changed.
const DESCRIBE: &str = "
    select 'column ' || attname || ' ' || format_type(atttypid, atttypmod)
        || coalesce(' collate ' || (select collname from pg_collation where oid = attcollation and collname <> 'default'), '')
        || case when attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = to_regclass($1 || '.idempotency_keys') and attnum > 0 and not attisdropped
    union all
    select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where conrelid = to_regclass($1 || '.idempotency_keys') and contype <> 'n'
    union all
    select pg_get_indexdef(indexrelid) from pg_index where indrelid = to_regclass($1 || '.idempotency_keys')
    union all
    select format('row-level security %s, forced %s', relrowsecurity, relforcerowsecurity)
    from pg_class where oid = to_regclass($1 || '.idempotency_keys')
    union all
    select format('policy %s for %s to %s using %s check %s', polname, polcmd,
        case when polroles = '{0}' then 'public' else 'the owner' end, pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid))
    from pg_policy where polrelid = to_regclass($1 || '.idempotency_keys')
    union all
    select pg_get_functiondef(oid) from pg_proc
    where pronamespace = to_regnamespace($1) and proname = 'sweep_idempotency_keys'";

/// Refuses a schema whose table of request ids is not the one that [`Idempotency`](crate::idempotency::Idempotency) uses.
///
/// # Errors
/// What the table lacks, and what it has instead; or the database's.
pub async fn check_request_ids(owner: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    name::checked("schema", schema)?;
    let mut transaction = owner.begin().await?;
    // So that all names are written with their schema.
    transaction.execute("set local search_path = pg_catalog").await?;
    let expected = TABLE_SQL.replace("{schema}", SCRATCH);
    transaction.execute(AssertSqlSafe(format!("create schema {SCRATCH}; {expected}"))).await?;
    let expected = describe(&mut transaction, SCRATCH).await?;
    let found = describe(&mut transaction, schema).await?;
    transaction.rollback().await?;
    let own_name = |line: String| line.replace(SCRATCH, schema);
    let differences = differences(&expected.into_iter().map(own_name).collect::<Vec<_>>(), &found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(MigrateError::RequestIds { schema: schema.to_owned(), differences })
}

async fn describe(owner: &mut PgConnection, schema: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(DESCRIBE).bind(schema).fetch_all(owner).await
}

fn differences(expected: &[String], found: &[String]) -> Vec<String> {
    let lacks = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("lacks {line}"));
    let has = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("has {line}"));
    lacks.chain(has).collect()
}
