//! What is kept beside opportunities, by the statements that write them: totals of stages, and stays in stages.
//!
//! Rows are locked in one order, whoever writes: an opportunity, its pipeline, totals by their key. A statement writes the
//! totals of one opportunity, sorted; what moves many opportunities in a transaction locks all totals that it will write
//! before it writes the first.

/// The columns of a total that are counted, as parameters of the row or as expressions over a stored one.
macro_rules! totals {
    ($select:expr) => {
        concat!(
            "counted as (insert into sales.stage_totals as totals \
             (tenant_id, pipeline_id, stage_id, currency, slot, records, value, weighted, following) ",
            $select,
            " on conflict (tenant_id, pipeline_id, stage_id, currency, slot) do update set \
             records = totals.records + excluded.records, value = totals.value + excluded.value, \
             weighted = totals.weighted + excluded.weighted, following = totals.following + excluded.following)"
        )
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
    ", entered as (insert into sales.stage_history \
     (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name) \
     values ($1, $2, {entered}, {at_pipeline}, {at_stage}, {stage_name}))"
);

/// Of a change: what it counted as before is taken away, what it counts as now is added, and what stays as it was is not
/// touched. The row is locked, so the stored state is the latest. A stay begins at a time of its own; one that keeps its time
/// and has another stage is that of a stage that was merged.
pub(super) const UPDATE: &str = concat!(
    "with before as (select ",
    stored!(),
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
    ", departed as (update sales.stage_history set left_time = {entered} \
     where tenant_id = $1 and opportunity_id = $2 and left_time is null and entered_time < {entered}), \
     entered as (insert into sales.stage_history \
     (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name) \
     select $1, $2, {entered}, {at_pipeline}, {at_stage}, {stage_name} \
     where not exists (select from sales.stage_history where tenant_id = $1 and opportunity_id = $2 \
     and entered_time = {entered} and stage_id = {at_stage}) \
     on conflict (tenant_id, opportunity_id, entered_time) do update set \
     stage_id = excluded.stage_id, stage_name = excluded.stage_name)"
);

/// Of a deletion, and of the way back.
pub(super) const SET_DELETED: &str = concat!(
    "with ",
    totals!(concat!(
        "select $1, pipeline_id, stage_id, currency, get_byte(uuid_send($2), 15) & 15, sign, sign * value, \
         sign * weighted, sign * following from (select case when $3 then -1 else 1 end as sign, ",
        stored!(),
        ") as change"
    ))
);
