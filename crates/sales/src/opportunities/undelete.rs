//! Brings an opportunity back to its pipeline.

use crm_proto::sales as pb;
use crm_resource::Error;
use tonic::Request;

use super::PIPELINE_NOT_FOUND;
use crate::Sales;
use crate::pipelines::hold_pipeline;

/// Takes the mark away, if the opportunity's pipeline is still there. Its stage is: deleted opportunities keep theirs.
pub(super) async fn undelete(
    sales: &Sales,
    request: Request<pb::UndeleteOpportunityRequest>,
) -> Result<pb::Opportunity, Error> {
    let (mut write, id, etag) = sales.opportunities.begin_at(request).await?;
    let current = sales.opportunities.lock_deleted(&mut write, id, &etag).await?;
    if hold_pipeline(&mut write, current.fields.pipeline_id).await?.is_none() {
        return Err(Error::from(&PIPELINE_NOT_FOUND));
    }
    sales.opportunities.mark(write, id, false).await
}
