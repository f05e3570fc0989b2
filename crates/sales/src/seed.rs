//! Generated data to look at: the same in every run, loaded while the service serves.

mod deals;
mod pipelines;
mod products;

use crm_database::{Database, Error};
use crm_resource::seed::{Amount, Chunk, Loaded, Progress, Seeding, Table, Tell, fill};
use crm_server::token::tenant_id;
use uuid::Uuid;

/// Opportunities that `crm seed demo` loads.
pub const DEMO_OPPORTUNITIES: u32 = 20_000;
const ROWS_A_CHUNK: u32 = 2_000;

/// Seeds as the command line asks for it. A large set is one of customers alone.
pub(crate) fn seed(database: Database, tenant: String, amount: Amount, tell: Tell) -> Seeding {
    Box::pin(async move {
        match amount {
            Amount::Demo => demo(&database, tenant_id(&tenant), DEMO_OPPORTUNITIES, tell).await,
            Amount::Large(_) => Ok(Vec::new()),
        }
    })
}

/// Loads products, two pipelines and so many opportunities of two years with all their stays, on the accounts that customers
/// loads for its demo set. Answers what came into each table; a second run loads nothing.
///
/// # Errors
/// The database's. What was loaded until then stays; another run completes it.
pub async fn demo(
    database: &Database,
    tenant: Uuid,
    opportunities: u32,
    mut tell: impl FnMut(Progress),
) -> Result<Vec<Loaded>, Error> {
    let products = all(tenant, products::rows());
    let count = products.count;
    let products = fill(database, &products::TABLE, (std::iter::once(products), count), 1, &mut tell).await?;
    let pipelines = all(tenant, pipelines::rows());
    let count = pipelines.count;
    let pipelines = fill(database, &pipelines::TABLE, (std::iter::once(pipelines), count), 1, &mut tell).await?;
    // One chunk after the other: each writes totals of the same stages.
    let starts = (0..opportunities).step_by(ROWS_A_CHUNK as usize);
    let chunks = starts.map(|start| all(tenant, (start..opportunities.min(start + ROWS_A_CHUNK)).map(deals::row)));
    let deals = fill(database, &DEALS, (chunks, opportunities), 1, &mut tell).await?;
    Ok([products, pipelines, deals].concat())
}

fn all(tenant: Uuid, lines: impl Iterator<Item = String>) -> Chunk {
    let mut count = 0;
    let rows = lines.inspect(|_| count += 1).collect();
    Chunk { tenant, rows, count }
}

// Whoever follows their accounts begins anew with the tenant, and asks how these are called.
// What is kept beside opportunities is made from those that are new, as kept.rs does it for one.
static DEALS: Table = Table {
    schema: "sales",
    names: &["opportunities", "stage_history"],
    find: "select id from sales.opportunities where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, name, account_id, pipeline_id, stage_id, state, amount_minor, lines, value_minor, value_currency, \
             probability, close_date, owner, next_step, next_step_date, lost_reason, stage_time, close_time, create_time, \
             update_time, ''::text as stays from sales.opportunities with no data",
    insert: "with created as (insert into sales.opportunities (tenant_id, id, name, account_id, pipeline_id, stage_id, state, \
             amount_minor, amount_currency, lines, value_minor, value_currency, probability, close_date, owner, owner_key, \
             next_step, next_step_date, lost_reason, stage_time, close_time, create_time, update_time) \
             select $1, id, name, account_id, pipeline_id, stage_id, state, amount_minor, \
             case when amount_minor is not null then value_currency end, lines, value_minor, value_currency, probability, \
             close_date, owner, owner, next_step, next_step_date, lost_reason, stage_time, close_time, create_time, update_time \
             from seed where exists (select from sales.pipelines pipeline \
             where pipeline.tenant_id = $1 and pipeline.id = seed.pipeline_id and pipeline.delete_time is null) \
             on conflict do nothing \
             returning id, pipeline_id, stage_id, state, owner, owner_key, left(close_date, 7) as month, \
             coalesce(value_currency, '') as currency, coalesce(value_minor, 0) as value, probability, lost_reason, \
             close_date, close_time, create_time), \
             stays as (insert into sales.stage_history \
             (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name, left_time) \
             select $1, id, (stay ->> 'entered')::timestamptz, created.pipeline_id, (stay ->> 'stage')::uuid, stay ->> 'name', \
             (stay ->> 'left')::timestamptz from created join seed using (id), jsonb_array_elements(stays::jsonb) as stay \
             returning 1), \
             counted as (insert into sales.stage_totals as totals \
             (tenant_id, pipeline_id, stage_id, currency, slot, records, value, weighted, following) \
             select $1, pipeline_id, stage_id, currency, get_byte(uuid_send(id), 15) & 15 as slot, count(*), sum(value), \
             sum(value * coalesce(probability, 0)), sum(case when probability is null then value else 0 end) \
             from created group by pipeline_id, stage_id, currency, slot order by pipeline_id, stage_id, currency, slot \
             on conflict (tenant_id, pipeline_id, stage_id, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             weighted = totals.weighted + excluded.weighted, following = totals.following + excluded.following \
             returning totals.slot), \
             foreseen as (insert into sales.forecast_totals as totals (tenant_id, month, owner_key, state, pipeline_id, \
             stage_id, currency, slot, owner, records, value, weighted, following, likely) \
             select $1, month, owner_key, state, place.pipeline_id, place.stage_id, currency, \
             get_byte(uuid_send(id), 15) & 3 as slot, min(owner), count(*), sum(value), sum(value * coalesce(probability, 0)), \
             sum(case when probability is null then value else 0 end), sum(case when probability >= 80 then value else 0 end) \
             from created cross join lateral (select \
             case when state = 'open' then created.pipeline_id else '00000000-0000-0000-0000-000000000000' end as pipeline_id, \
             case when state = 'open' then created.stage_id else '00000000-0000-0000-0000-000000000000' end as stage_id) as place \
             where state <> 'lost' and (select count(*) from counted) >= 0 \
             group by month, owner_key, state, place.pipeline_id, place.stage_id, currency, slot \
             order by month, owner_key, state, place.pipeline_id, place.stage_id, currency, slot \
             on conflict (tenant_id, month, owner_key, state, pipeline_id, stage_id, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             weighted = totals.weighted + excluded.weighted, following = totals.following + excluded.following, \
             likely = totals.likely + excluded.likely \
             returning totals.slot), \
             decided as (insert into sales.decided_totals as totals \
             (tenant_id, facet, span, period, name, state, currency, slot, records, value, timed, days) \
             select $1, facet, span, left(day, length), facets.name, state, currency, get_byte(uuid_send(id), 15) & 3 as slot, \
             count(*), sum(value), count(days), sum(coalesce(days, 0)) from created \
             cross join lateral (select sales.decided_day(close_date, close_time) as day) as decision \
             cross join lateral (select sales.decided_days(day, create_time) as days) as timed \
             cross join (values ('month', 7), ('year', 4)) as spans (span, length) \
             cross join lateral (values ('owner', owner_key), ('reason', lost_reason)) as facets (facet, name) \
             where state <> 'open' and (facet = 'owner' or state = 'lost') and (select count(*) from foreseen) >= 0 \
             group by facet, span, left(day, length), facets.name, state, currency, slot \
             order by facet, span, left(day, length), facets.name, state, currency, slot \
             on conflict (tenant_id, facet, span, period, name, state, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             timed = totals.timed + excluded.timed, days = totals.days + excluded.days), \
             anew as (delete from sales.follower_cursors where tenant_id = $1 and exists (select from created)) \
             select array[(select count(*) from created), (select count(*) from stays)]",
};
