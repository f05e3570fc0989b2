//! What is kept beside opportunities, by the statements that write them: totals of stages, of months and of what was decided, and
//! stays in stages.
//!
//! Rows are locked in one order, whoever writes: an opportunity, its pipeline, totals of stages by their key, totals of months
//! by theirs, totals of what was decided by theirs. A statement writes the totals of one opportunity, sorted; those that come
//! later wait for those before, for parts of one statement have no order by themselves. What moves many opportunities in a
//! transaction locks all totals that it will write before it writes the first.

use super::decided::{decided, stored_decision};

/// The columns of a total that are counted, as parameters of the row or as expressions over a stored one.
macro_rules! totals {
    ($select:expr) => {
        concat!(
            "counted as (insert into sales.stage_totals as totals \
             (tenant_id, pipeline_id, stage_id, currency, slot, records, value, weighted, following) ",
            $select,
            " on conflict (tenant_id, pipeline_id, stage_id, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             weighted = totals.weighted + excluded.weighted, following = totals.following + excluded.following \
             returning totals.slot)"
        )
    };
}

/// The same of the totals of months.
macro_rules! forecast {
    ($select:expr) => {
        concat!(
            ", foreseen as (insert into sales.forecast_totals as totals (tenant_id, month, owner_key, state, pipeline_id, \
             stage_id, currency, slot, owner, records, value, weighted, following, likely) ",
            $select,
            " on conflict (tenant_id, month, owner_key, state, pipeline_id, stage_id, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             weighted = totals.weighted + excluded.weighted, following = totals.following + excluded.following, \
             likely = totals.likely + excluded.likely returning totals.slot)"
        )
    };
}

/// Holds as soon as the totals of stages are written.
macro_rules! after_stages {
    () => {
        "(select count(*) from counted) >= 0"
    };
}

/// What the stored row counts as in its month, unless it is lost.
macro_rules! foreseen {
    () => {
        "left(close_date, 7) as month, owner_key, state, \
         case when state = 'open' then pipeline_id else '00000000-0000-0000-0000-000000000000' end as pipeline_id, \
         case when state = 'open' then stage_id else '00000000-0000-0000-0000-000000000000' end as stage_id, \
         coalesce(value_currency, '') as currency, owner, coalesce(value_minor, 0) as value, \
         coalesce(value_minor, 0) * coalesce(probability, 0) as weighted, \
         case when probability is null then coalesce(value_minor, 0) else 0 end as following, \
         case when probability >= 80 then coalesce(value_minor, 0) else 0 end as likely \
         from sales.opportunities where tenant_id = $1 and id = $2 and state <> 'lost'"
    };
}

/// What the stored row counts as.
macro_rules! stored {
    () => {
        "pipeline_id, stage_id, coalesce(value_currency, '') as currency, coalesce(value_minor, 0) as value, \
         coalesce(value_minor, 0) * coalesce(probability, 0) as weighted, \
         case when probability is null then coalesce(value_minor, 0) else 0 end as following \
         from sales.opportunities where tenant_id = $1 and id = $2"
    };
}

/// Of a new opportunity.
pub(super) const INSERT: &str = concat!(
    "with ",
    totals!(
        "values ($1, {at_pipeline}, {at_stage}, {currency}, get_byte(uuid_send($2), 15) & 15, 1, {value}, {weighted}, \
         {following})"
    ),
    forecast!(concat!(
        "select $1, {month}, {month_owner_key}, {month_state}, {month_pipeline}, {month_stage}, {currency}, \
         get_byte(uuid_send($2), 15) & 3, {month_owner}, 1, {value}, {weighted}, {following}, {likely} \
         where {month_state} <> 'lost' and ",
        after_stages!()
    )),
    ", entered as (insert into sales.stage_history \
     (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name) \
     values ($1, $2, {entered}, {at_pipeline}, {at_stage}, {stage_name}))",
    decided!(
        "select 1 as sign, {is} as state, {of_owner} as owner_key, {because} as reason, day, {currency} as currency, \
         {value} as value, sales.decided_days(day, statement_timestamp()) as days \
         from sales.decided_day({closes}, {closed}) as day where {is} <> 'open'"
    )
);

/// Of a change: what it counted as before is taken away, what it counts as now is added, and what stays as it was is not
/// touched. The row is locked, so the stored state is the latest. A stay begins at a time of its own; one that keeps its time
/// and has another stage is that of a stage that was merged.
pub(super) const UPDATE: &str = concat!(
    "with before as (select ",
    stored!(),
    " and delete_time is null), before_in_month as (select ",
    foreseen!(),
    " and delete_time is null), ",
    totals!(
        "select $1, pipeline_id, stage_id, currency, get_byte(uuid_send($2), 15) & 15, sum(sign), sum(sign * value), \
         sum(sign * weighted), sum(sign * following) \
         from (select -1 as sign, * from before \
         union all select 1, {at_pipeline}, {at_stage}, {currency}, {value}, {weighted}, {following} from before) as change \
         group by pipeline_id, stage_id, currency \
         having sum(sign) <> 0 or sum(sign * value) <> 0 or sum(sign * weighted) <> 0 or sum(sign * following) <> 0 \
         order by pipeline_id, stage_id, currency"
    ),
    forecast!(concat!(
        "select $1, month, owner_key, state, pipeline_id, stage_id, currency, get_byte(uuid_send($2), 15) & 3, max(owner), \
         sum(sign), sum(sign * value), sum(sign * weighted), sum(sign * following), sum(sign * likely) \
         from (select -1 as sign, * from before_in_month \
         union all select 1, {month}, {month_owner_key}, {month_state}, {month_pipeline}, {month_stage}, {currency}, \
         {month_owner}, {value}, {weighted}, {following}, {likely} from before where {month_state} <> 'lost') as change where ",
        after_stages!(),
        " group by month, owner_key, state, pipeline_id, stage_id, currency \
         having sum(sign) <> 0 or sum(sign * value) <> 0 or sum(sign * weighted) <> 0 or sum(sign * following) <> 0 \
         or sum(sign * likely) <> 0 order by month, owner_key, state, pipeline_id, stage_id, currency"
    )),
    ", departed as (update sales.stage_history set left_time = {entered} \
     where tenant_id = $1 and opportunity_id = $2 and left_time is null and entered_time < {entered}), \
     entered as (insert into sales.stage_history \
     (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name) \
     select $1, $2, {entered}, {at_pipeline}, {at_stage}, {stage_name} \
     where not exists (select from sales.stage_history where tenant_id = $1 and opportunity_id = $2 \
     and entered_time = {entered} and stage_id = {at_stage}) \
     on conflict (tenant_id, opportunity_id, entered_time) do update set \
     stage_id = excluded.stage_id, stage_name = excluded.stage_name)",
    decided!(concat!(
        "select -1 as sign, ",
        stored_decision!(),
        " and delete_time is null union all select 1, {is}, {of_owner}, {because}, day, {currency}, {value}, \
         sales.decided_days(day, create_time) from sales.opportunities \
         cross join lateral (select sales.decided_day({closes}, {closed}) as day) as decision \
         where tenant_id = $1 and id = $2 and delete_time is null and {is} <> 'open'"
    ))
);

/// Of a deletion, and of the way back.
pub(super) const SET_DELETED: &str = concat!(
    "with ",
    totals!(concat!(
        "select $1, pipeline_id, stage_id, currency, get_byte(uuid_send($2), 15) & 15, sign, sign * value, \
         sign * weighted, sign * following from (select case when $3 then -1 else 1 end as sign, ",
        stored!(),
        ") as change"
    )),
    forecast!(concat!(
        "select $1, month, owner_key, state, pipeline_id, stage_id, currency, get_byte(uuid_send($2), 15) & 3, owner, sign, \
         sign * value, sign * weighted, sign * following, sign * likely \
         from (select case when $3 then -1 else 1 end as sign, ",
        foreseen!(),
        ") as change where ",
        after_stages!()
    )),
    decided!(concat!("select case when $3 then -1 else 1 end as sign, ", stored_decision!()))
);
