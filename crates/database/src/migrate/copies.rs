//! A service's migration holds a copy of each table that all services have, for migrations never change. This compares
//! the two: the statements of the house's crates rely on these tables, and on their policies, which keep one tenant's rows
//! from another.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::MigrateError;
use crate::name;

/// Where the tables are made that are expected; never committed.
const SCRATCH: &str = "crm_expected_tables";

/// Tables that each service has in its own schema, with what belongs to them.
#[derive(Debug, Clone, Copy)]
pub struct Copied {
    /// What they are for, in an error's words.
    pub what: &'static str,
    /// What makes them; `{schema}` stands for the schema.
    pub sql: &'static str,
    /// Tables and sequences.
    pub relations: &'static [&'static str],
    /// Functions.
    pub functions: &'static [&'static str],
}

/// A line for whatever a statement could notice. Roles are not told apart by name: the owner may have changed.
const DESCRIBE: &str = "
    with relations as (select to_regclass($1 || '.' || name) as id from unnest($2) as name)
    select relname || ' column ' || attname || ' ' || format_type(atttypid, atttypmod)
        || coalesce(' collate ' || (select collname from pg_collation where oid = attcollation and collname <> 'default'), '')
        || case when attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
    from relations join pg_class on oid = id join pg_attribute on attrelid = id
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind = 'r' and attnum > 0 and not attisdropped
    union all
    select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
    from relations join pg_constraint on conrelid = id where contype <> 'n'
    union all
    select pg_get_indexdef(indexrelid) from relations join pg_index on indrelid = id
    union all
    select format('sequence %s of %s, by %s, %s at a time', id, format_type(seqtypid, null), seqincrement, seqcache)
    from relations join pg_sequence on seqrelid = id
    union all
    select format('%s row-level security %s, forced %s', relname, relrowsecurity, relforcerowsecurity)
    from relations join pg_class on oid = id
    union all
    select format('policy %s for %s to %s using %s check %s', polname, polcmd,
        case when polroles = '{0}' then 'public' else 'the owner' end, pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid))
    from relations join pg_policy on polrelid = id
    union all
    select pg_get_functiondef(oid) from pg_proc where pronamespace = to_regnamespace($1) and proname = any ($3)";

/// Refuses a schema whose tables are not those that the statements of this release use.
///
/// # Errors
/// What they lack, and what they have instead; or the database's.
pub async fn check_copy(owner: &mut PgConnection, schema: &str, copied: &Copied) -> Result<(), MigrateError> {
    name::checked("schema", schema)?;
    let mut transaction = owner.begin().await?;
    // So that all names are written with their schema.
    transaction.execute("set local search_path = pg_catalog").await?;
    let expected = copied.sql.replace("{schema}", SCRATCH);
    transaction.execute(AssertSqlSafe(format!("create schema {SCRATCH}; {expected}"))).await?;
    let expected = describe(&mut transaction, SCRATCH, copied).await?;
    let found = describe(&mut transaction, schema, copied).await?;
    transaction.rollback().await?;
    let own_name = |line: String| line.replace(SCRATCH, schema);
    let differences = differences(&expected.into_iter().map(own_name).collect::<Vec<_>>(), &found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(MigrateError::Copied { schema: schema.to_owned(), what: copied.what, differences })
}

async fn describe(owner: &mut PgConnection, schema: &str, copied: &Copied) -> Result<Vec<String>, sqlx::Error> {
    let lines = sqlx::query_scalar(DESCRIBE).bind(schema).bind(copied.relations).bind(copied.functions);
    lines.fetch_all(owner).await
}

fn differences(expected: &[String], found: &[String]) -> Vec<String> {
    let lacks = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("lacks {line}"));
    let has = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("has {line}"));
    lacks.chain(has).collect()
}
