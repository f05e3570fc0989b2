//! Fills the journal by statements: as calls would leave it, without ten million of them.
//!
//! Tenants and records are of very different sizes. A record's changes are spread over the time that it has been there, so
//! that those of all records lie among each other; four follow each other in a transaction.

use std::time::Instant;

use crm_server::token::tenant_id;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use uuid::Uuid;

use super::plan::Plan;
use crate::scratch::{LabError, Part, Stage};

/// The first has a fifth of all records, the last less than a hundredth.
pub(super) const TENANTS: u32 = 40;
/// Changes of a transaction.
pub(super) const TOGETHER: u32 = 4;

/// What is there afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    /// Changes.
    pub(super) entries: u32,
    /// The id of the first transaction that wrote any; each one later is of the four changes that follow.
    pub(super) first_transaction: u64,
}

impl Filled {
    /// The transaction that wrote the change with this number.
    pub(super) fn transaction(&self, sequence: u32) -> u64 {
        self.first_transaction + u64::from(sequence.saturating_sub(1) / TOGETHER)
    }
}

/// What the tenant with this number is called.
pub(super) fn tenant(nth: u32) -> String {
    format!("tenant-{nth}")
}

/// Which accounts there are, and how many changes each has: a few have very many, as Zipf says.
const RECORDS: &str = "
    create schema lab;
    select setseed(0.5);
    create unlogged table lab.records as
    select nth, least(floor(power($TENANTS, random())), $TENANTS - 1)::int as tenant, start, weight,
        (lpad(to_hex((extract(epoch from now() - interval '408 days') * 1000 + start * 408 * 86400000)::bigint), 12, '0')
            || '7' || substr(md5(nth::text), 1, 3) || '8' || substr(md5(nth::text), 4, 15))::uuid as id
    from (select nth, random() * 0.9 as start, power(nth, -0.8) as weight from generate_series(1, $RECORDS) nth) as drawn;
    alter table lab.records add column versions int;
    update lab.records set versions = greatest(1, round($ENTRIES * weight / (select sum(weight) from lab.records)));
    vacuum analyze lab.records";

const ACCOUNTS: &str = "
    insert into customers.accounts (tenant_id, id, name, name_key, owner, owner_key, employees, version, create_time,
        update_time)
    select ($1::uuid[])[tenant + 1], id, 'Account ' || nth, 'account ' || nth, 'user-' || nth % 200, 'user-' || nth % 200,
        versions, versions, now() - interval '408 days' * (1 - start), now()
    from lab.records";

/// The oldest fiftieth is older than is kept: the sweep has something to do.
const JOURNAL: &str = "
    insert into customers.journal (tenant_id, transaction, sequence, resource, record_id, version, kind, subject, role,
        change_time, changes, traceparent)
    select ($1::uuid[])[tenant + 1], ($2 + (sequence - 1) / $3)::text::xid8, sequence, 'accounts', id, version,
        case version when 1 then 'created' else 'updated' end, 'user-' || nth % 200, 'agent',
        now() - interval '408 days' * (1 - sequence::float8 / $4),
        case version when 1 then format('{\"name\": [null, \"Account %s\"], \"owner\": [null, \"user-%s\"], \"employees\": [null, 1]}',
            nth, nth % 200)
        else format('{\"employees\": [%s, %s]}', version - 1, version) end::jsonb,
        case when sequence % 10 = 0 then '00-' || md5(sequence::text) || '-00f067aa0ba902b7-01' end
    from (
        select *, row_number() over (order by position) as sequence from (
            select nth, tenant, id, version, start + (1 - start) * (version - random()) / versions as position
            from lab.records cross join generate_series(1, versions) version
        ) as placed
    ) as numbered";

/// How to drop and to make what keeps a table in order: to make it once is quicker than to keep it up to date.
const INDEXES: &str = "
    select format('alter table %s drop constraint %I', conrelid::regclass, conname),
        format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where conrelid = 'customers.journal'::regclass and contype in ('p', 'u')
    union all
    select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    from pg_index where indrelid in ('customers.journal'::regclass, 'customers.accounts'::regclass)
    and not exists (select from pg_constraint where conindid = indexrelid)";

/// Fills all, and says how large it has become.
pub(super) async fn fill(stage: &Stage, plan: &Plan) -> Result<(Filled, Part), LabError> {
    let began = Instant::now();
    let mut owner = stage.owner().await?;
    for setting in ["synchronous_commit = off", "work_mem = '256MB'", "maintenance_work_mem = '256MB'"] {
        owner.execute(AssertSqlSafe(format!("set {setting}"))).await?;
    }
    let filled = rows(&mut owner, plan).await?;
    for table in ["customers.accounts", "customers.journal"] {
        owner.execute(AssertSqlSafe(format!("vacuum analyze {table}"))).await?;
    }
    let mut part = Part::new("journal", "What is looked at: filled by statements, as calls would have left it.");
    sizes(&mut owner, &mut part).await?;
    part.figure("time to fill it", began.elapsed().as_secs_f64(), "s");
    Ok((filled, part))
}

async fn rows(owner: &mut PgConnection, plan: &Plan) -> Result<Filled, LabError> {
    let (entries, records) = (plan.entries, plan.records());
    for statement in RECORDS.split(';') {
        let numbers = [("$TENANTS", TENANTS), ("$RECORDS", records), ("$ENTRIES", entries)];
        let text = numbers.iter().fold(statement.to_owned(), |text, (name, n)| text.replace(name, &n.to_string()));
        owner.execute(AssertSqlSafe(text)).await?;
    }
    let entries: i64 = sqlx::query_scalar("select sum(versions) from lab.records").fetch_one(&mut *owner).await?;
    let first: String = sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *owner).await?;
    let first: i64 = first.parse().map_err(|_| LabError::Start("a transaction has no id".to_owned()))?;
    // Ids beyond those that the server has given away would not be seen.
    let ids = entries / i64::from(TOGETHER) + 1;
    let draw = format!("do $$ begin for nth in 1..{ids} loop perform pg_current_xact_id(); commit; end loop; end $$");
    owner.execute(AssertSqlSafe(draw)).await?;

    let indexes: Vec<(String, String)> = sqlx::query_as(INDEXES).fetch_all(&mut *owner).await?;
    let tenants: Vec<Uuid> = (0..TENANTS).map(|nth| tenant_id(&tenant(nth))).collect();
    owner.execute("begin; truncate customers.journal; truncate customers.accounts cascade").await?;
    for (drop, _) in &indexes {
        owner.execute(AssertSqlSafe(drop.clone())).await?;
    }
    sqlx::query(ACCOUNTS).bind(&tenants).execute(&mut *owner).await?;
    let journal = sqlx::query(JOURNAL).bind(&tenants).bind(first).bind(i64::from(TOGETHER)).bind(entries);
    journal.execute(&mut *owner).await?;
    for (_, make) in &indexes {
        owner.execute(AssertSqlSafe(make.clone())).await?;
    }
    let numbers = sqlx::query("select setval('customers.journal_sequence', $1)").bind(entries);
    numbers.execute(&mut *owner).await?;
    owner.execute("commit").await?;
    let entries = u32::try_from(entries).map_err(|_| LabError::Start("too many changes".to_owned()))?;
    let first_transaction = u64::try_from(first).unwrap_or_default();
    Ok(Filled { entries, first_transaction })
}

async fn sizes(owner: &mut PgConnection, part: &mut Part) -> Result<(), LabError> {
    let sizes = "select (select count(*) from customers.journal)::float8, (select count(*) from lab.records)::float8, \
                 pg_table_size('customers.journal') / 1048576.0::float8, \
                 pg_indexes_size('customers.journal') / 1048576.0::float8, \
                 (select max(versions) from lab.records)::float8";
    let (rows, records, table, indexes, most): (f64, f64, f64, f64, f64) =
        sqlx::query_as(sizes).fetch_one(owner).await?;
    part.figure("changes", rows, "");
    part.figure("of so many records", records, "");
    part.figure("the record that has most of them", most, "changes");
    part.figure("table", table, "MiB");
    part.figure("its indexes", indexes, "MiB");
    Ok(())
}
