//! Changes a pipeline, and which stages it has.

use crm_proto::sales as pb;
use crm_resource::{Change, Error, Records, Refusal, Write};
use tonic::Request;
use uuid::Uuid;

use super::hold::lock_pipeline;
use super::{Pipeline, Stages};

/// Opportunities would be left without their stage.
pub const STAGE_IN_USE: Refusal = Refusal::failed_precondition(
    "STAGE_IN_USE",
    "opportunities stand in the stage, deleted ones included: merge it into another",
);

/// Changes the fields that the request names. Of the stages that it leaves out none may be in use: nobody enters one meanwhile.
pub(super) async fn update(
    pipelines: &Records<Pipeline>,
    request: Request<pb::UpdatePipelineRequest>,
) -> Result<pb::Pipeline, Error> {
    let mut change = Change::<Pipeline>::of(request)?;
    let mut write = pipelines.begin(change.call.clone()).await?;
    if change.names("stages") {
        lock_pipeline(&mut write, change.id).await?;
    }
    let current = pipelines.lock_live(&mut write, change.id, &change.etag).await?;
    let fields = change.apply(&current)?;
    check_gone(&mut write, change.id, &current.fields.stages, &fields.stages).await?;
    pipelines.save(write, current, fields).await
}

async fn check_gone(write: &mut Write, pipeline: Uuid, before: &Stages, now: &Stages) -> Result<(), Error> {
    let gone: Vec<Uuid> = before.all.iter().map(|stage| stage.id).filter(|id| now.find(*id).is_none()).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let used = match before.in_a_merge(&gone) {
        Some(id) => Some(id),
        None => find_used(write, pipeline, &gone).await?,
    };
    used.map_or(Ok(()), |id| Err(Error::RefusedFor(&STAGE_IN_USE, id)))
}

/// Behind `find_used`. Each stage looks for itself: with `exists`, the planner might read all opportunities there are.
pub const USED_STAGE: &str = "select stage from unnest($3::uuid[]) as stage where (select true from sales.opportunities \
     where tenant_id = $1 and stage_id = stage and pipeline_id = $2 limit 1) limit 1";

/// One of these stages in which an opportunity stands, deleted or not.
pub(super) async fn find_used(write: &mut Write, pipeline: Uuid, stages: &[Uuid]) -> Result<Option<Uuid>, Error> {
    let query = sqlx::query(USED_STAGE).bind(write.call.tenant).bind(pipeline).bind(stages.to_vec());
    let found: Option<(Uuid,)> = write.fetch_optional("find_used_stage", query).await?;
    Ok(found.map(|(id,)| id))
}
