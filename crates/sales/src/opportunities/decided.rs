//! What was won and lost, counted by month and year: kept beside opportunities by the statements that write them, as totals of
//! stages are (`kept.rs`), and behind these in the order of locks.

use crm_resource::{Error, Write};
use uuid::Uuid;

/// Counts what changes: rows of `sign`, and what a decided opportunity counts as.
macro_rules! decided {
    ($changes:expr) => {
        concat!(
            ", decided as (insert into sales.decided_totals as totals \
             (tenant_id, facet, span, period, name, state, currency, slot, records, value, timed, days) \
             select $1, facet, span, left(day, length), name, state, currency, get_byte(uuid_send($2), 15) & 3, \
             sum(sign), sum(sign * value), sum(case when days is null then 0 else sign end), sum(sign * coalesce(days, 0)) \
             from (",
            $changes,
            ") as change cross join (values ('month', 7), ('year', 4)) as spans (span, length) \
             cross join lateral (values ('owner', owner_key), ('reason', reason)) as facets (facet, name) \
             where (facet = 'owner' or state = 'lost') and (select count(*) from foreseen) >= 0 group by facet, span, left(day, length), name, state, currency \
             having sum(sign) <> 0 or sum(sign * value) <> 0 or sum(sign * coalesce(days, 0)) <> 0 \
             or sum(case when days is null then 0 else sign end) <> 0 \
             order by facet, span, left(day, length), name collate \"C\", state collate \"C\", currency collate \"C\" \
             on conflict (tenant_id, facet, span, period, name, state, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             timed = totals.timed + excluded.timed, days = totals.days + excluded.days)"
        )
    };
}

/// What the stored row counts as, if it is decided.
macro_rules! stored_decision {
    () => {
        "state, owner_key, lost_reason as reason, day, coalesce(value_currency, '') as currency, \
         coalesce(value_minor, 0) as value, sales.decided_days(day, create_time) as days from sales.opportunities \
         cross join lateral (select sales.decided_day(close_date, close_time) as day) as decision \
         where tenant_id = $1 and id = $2 and state <> 'open'"
    };
}

pub(super) use {decided, stored_decision};

/// Behind `lock_decided`: all totals that some opportunities count in, and those in which they will when they have another owner.
pub const LOCK_DECIDED: &str = "insert into sales.decided_totals as totals \
     (tenant_id, facet, span, period, name, state, currency, slot, records, value, timed, days) \
     select distinct tenant_id, 'owner', span, left(day, length), owners.name, state, coalesce(value_currency, ''), \
     get_byte(uuid_send(id), 15) & 3, 0, 0, 0, 0 from sales.opportunities \
     cross join lateral (select sales.decided_day(close_date, close_time) as day) as decision \
     cross join (values ('month', 7), ('year', 4)) as spans (span, length) \
     cross join lateral (values (owner_key), ($3)) as owners (name) \
     where tenant_id = $1 and id = any($2) and state <> 'open' order by 2, 3, 4, 5, 6, 7, 8 \
     on conflict (tenant_id, facet, span, period, name, state, currency, slot) do update set records = totals.records";

/// Locks what will be counted anew when these get another owner, whose key this is.
pub(super) async fn lock_decided(write: &mut Write, ids: &[Uuid], owner_key: &str) -> Result<(), Error> {
    let query = sqlx::query(LOCK_DECIDED).bind(write.call.tenant).bind(ids).bind(owner_key);
    write.execute("lock_decided_totals", query).await?;
    Ok(())
}
