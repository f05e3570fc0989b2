//! Opportunities of a stage that is merged into another, a batch in a transaction.

use crm_resource::{Error, Records, Write};
use crm_values::text_key;
use uuid::Uuid;

use super::{Fields, Opportunity};
use crate::pipelines::Stage;

/// Behind `Batch::lock`: those of a stage, deleted or not, in the order of their index.
pub const LOCK_IN_STAGE: &str = "select id from sales.opportunities where tenant_id = $1 and stage_id = $2 \
     and pipeline_id = $3 order by create_time, id limit $4 for no key update";

/// Behind `move_into`: totals of the stage that is left.
pub const LOCK_TOTALS: &str = "select slot from sales.stage_totals \
     where tenant_id = $1 and pipeline_id = $2 and stage_id = $3 order by currency, slot for no key update";
/// Those of the stage that is entered, which may have to be made: in one order with those that are there.
pub const MAKE_TOTALS: &str = "insert into sales.stage_totals as totals \
     (tenant_id, pipeline_id, stage_id, currency, slot, records, value, weighted, following) \
     select tenant_id, pipeline_id, $4, currency, slot, 0, 0, 0, 0 from sales.stage_totals \
     where tenant_id = $1 and pipeline_id = $2 and stage_id = $3 order by currency, slot \
     on conflict (tenant_id, pipeline_id, stage_id, currency, slot) do update set records = totals.records";

/// Before many opportunities (`$2`) are written: the totals of months that those are counted in, and those in which they will
/// be, in another stage (`$3`) or with another owner (`$4`, `$5`), where these are not null. Those of stages come first.
pub const LOCK_MONTHS: &str = "insert into sales.forecast_totals as totals (tenant_id, month, owner_key, state, pipeline_id, \
     stage_id, currency, slot, owner, records, value, weighted, following, likely) \
     select distinct on (month, owner_key, state, pipeline_id, stage_id, currency, slot) $1, month, owner_key, state, \
     pipeline_id, stage_id, currency, slot, owner, 0, 0, 0, 0, 0 from (select left(it.close_date, 7) as month, \
     place.owner_key collate \"C\" as owner_key, it.state, place.owner, \
     case when it.state = 'open' then it.pipeline_id else '00000000-0000-0000-0000-000000000000' end as pipeline_id, \
     case when it.state = 'open' then place.stage_id else '00000000-0000-0000-0000-000000000000' end as stage_id, \
     coalesce(it.value_currency, '') as currency, get_byte(uuid_send(it.id), 15) & 3 as slot from sales.opportunities as it \
     cross join lateral (values (it.owner_key, it.owner, it.stage_id), (coalesce($4::text, it.owner_key), \
     coalesce($5::text, it.owner), coalesce($3::uuid, it.stage_id))) as place (owner_key, owner, stage_id) \
     where it.tenant_id = $1 and it.id = any($2) and it.delete_time is null and it.state <> 'lost') as place \
     order by month, owner_key, state, pipeline_id, stage_id, currency, slot \
     on conflict (tenant_id, month, owner_key, state, pipeline_id, stage_id, currency, slot) \
     do update set records = totals.records";

/// Locked opportunities of one stage.
#[derive(Debug)]
pub(crate) struct Batch {
    pipeline: Uuid,
    from: Uuid,
    ids: Vec<Uuid>,
}

impl Batch {
    /// The first so many.
    pub(crate) async fn lock(write: &mut Write, pipeline: Uuid, from: Uuid, most: usize) -> Result<Self, Error> {
        let query = sqlx::query(LOCK_IN_STAGE).bind(write.call.tenant).bind(from).bind(pipeline);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let ids: Vec<(Uuid,)> = write.fetch_all("lock_opportunities_in_stage", query.bind(most)).await?;
        Ok(Self { pipeline, from, ids: ids.into_iter().map(|(id,)| id).collect() })
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Has them stand in another stage, since when they stood in this one. What the second one means is the same, so neither
    /// their state nor anything that belongs to it changes.
    pub(crate) async fn move_into(
        &self,
        write: &mut Write,
        opportunities: &Records<Opportunity>,
        into: &Stage,
    ) -> Result<(), Error> {
        // By their key, of which the stage comes first.
        for stage in [self.from.min(into.id), self.from.max(into.id)] {
            let query = if stage == self.from { sqlx::query(LOCK_TOTALS) } else { sqlx::query(MAKE_TOTALS) };
            let query = query.bind(write.call.tenant).bind(self.pipeline).bind(self.from);
            let query = if stage == self.from { query } else { query.bind(into.id) };
            write.execute("lock_totals", query).await?;
        }
        lock_months(write, &self.ids, Some(into.id), None).await?;
        for id in &self.ids {
            let current = opportunities.lock(write, *id).await?;
            let (stage_id, stage_name) = (into.id, into.name.clone());
            let fields = Fields { stage_id, stage_name, ..current.fields.clone() };
            opportunities.replace(write, &current, &fields).await?;
        }
        Ok(())
    }
}

/// Locks the totals of months that these are counted in, and those in which they will be, in this stage or with this owner.
pub(super) async fn lock_months(
    write: &mut Write,
    ids: &[Uuid],
    stage: Option<Uuid>,
    owner: Option<&str>,
) -> Result<(), Error> {
    let query = sqlx::query(LOCK_MONTHS).bind(write.call.tenant).bind(ids).bind(stage);
    write.execute("lock_months", query.bind(owner.map(text_key)).bind(owner)).await?;
    Ok(())
}
