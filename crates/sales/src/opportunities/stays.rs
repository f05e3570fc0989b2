//! Where an opportunity has stood, and for how long.

use crm_proto::sales as pb;
use crm_resource::{Call, Error, single, timestamp};
use sqlx::FromRow;
use time::OffsetDateTime;
use tonic::Request;
use uuid::Uuid;

use super::NOT_FOUND;
use crate::Sales;

/// Behind `list`: the newest thousand, with the time that has passed of the one that lasts.
pub const STAYS: &str = "select entered_time, pipeline_id, stage_id, stage_name, left_time, \
     (extract(epoch from coalesce(left_time, statement_timestamp()) - entered_time) * 1000000)::bigint as micros \
     from sales.stage_history where tenant_id = $1 and opportunity_id = $2 order by entered_time desc limit 1000";

#[derive(FromRow)]
struct Stay {
    entered_time: OffsetDateTime,
    pipeline_id: Uuid,
    stage_id: Uuid,
    stage_name: String,
    left_time: Option<OffsetDateTime>,
    micros: i64,
}

/// The stays of an opportunity that is there, the newest first.
pub(super) async fn list(
    sales: &Sales,
    request: Request<pb::GetOpportunityStagesRequest>,
) -> Result<pb::GetOpportunityStagesResponse, Error> {
    let (call, id) = (Call::of(&request)?, single(&request.get_ref().id)?);
    let mut read = sales.opportunities.snapshot(&call).await?;
    if sales.opportunities.find_live(&mut read, call.tenant, &[id]).await?.is_empty() {
        return Err(Error::RefusedFor(&NOT_FOUND, id));
    }
    let query = sqlx::query(STAYS).bind(call.tenant).bind(id);
    let stays: Vec<Stay> = read.fetch_all("list_stays", query).await?;
    read.commit().await?;
    Ok(pb::GetOpportunityStagesResponse { stays: stays.into_iter().map(Stay::message).collect() })
}

impl Stay {
    fn message(self) -> pb::StageStay {
        let micros = self.micros.max(0);
        let nanos = i32::try_from(micros % 1_000_000 * 1_000).unwrap_or_default();
        pb::StageStay {
            pipeline_id: self.pipeline_id.to_string(),
            stage_id: self.stage_id.to_string(),
            stage_name: self.stage_name,
            enter_time: Some(timestamp(self.entered_time)),
            leave_time: self.left_time.map(timestamp),
            duration: Some(prost_types::Duration { seconds: micros / 1_000_000, nanos }),
        }
    }
}
