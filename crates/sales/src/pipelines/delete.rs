//! Deletes a pipeline in which nothing stands.

use crm_proto::sales as pb;
use crm_resource::{Error, Records, Refusal};
use tonic::Request;
use uuid::Uuid;

use super::Pipeline;
use super::hold::lock_pipeline;

/// Opportunities would be left without their pipeline.
pub const IN_USE: Refusal =
    Refusal::failed_precondition("PIPELINE_IN_USE", "the pipeline has opportunities: delete or move them first");

/// Behind `delete`. In an order, so that an index is read and not the table up to the first.
pub const OPPORTUNITY_IN: &str = "select id from sales.opportunities \
     where tenant_id = $1 and pipeline_id = $2 and delete_time is null order by create_time limit 1";

/// Marks the pipeline as deleted. Nobody enters it meanwhile; those who come later do not find it.
pub(super) async fn delete(
    pipelines: &Records<Pipeline>,
    request: Request<pb::DeletePipelineRequest>,
) -> Result<pb::Pipeline, Error> {
    let (mut write, id, etag) = pipelines.begin_at(request).await?;
    lock_pipeline(&mut write, id).await?;
    pipelines.lock_live(&mut write, id, &etag).await?;
    let query = sqlx::query(OPPORTUNITY_IN).bind(write.call.tenant).bind(id);
    if write.fetch_optional::<(Uuid,)>("find_opportunity_in_pipeline", query).await?.is_some() {
        return Err(Error::from(&IN_USE));
    }
    pipelines.mark(write, id, true).await
}
