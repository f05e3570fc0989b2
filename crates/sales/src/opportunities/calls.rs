use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::operations::Operation;
use crm_proto::sales as pb;
use crm_proto::sales::opportunity_service_server::OpportunityService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use super::{Reassign, create, stale, stays, undelete, update};
use crate::Sales;

#[async_trait]
impl OpportunityService for Sales {
    type ExportOpportunitiesStream = Export<pb::Opportunity>;

    async fn create_opportunity(&self, request: Request<pb::CreateOpportunityRequest>) -> Answer<pb::Opportunity> {
        answer(create::create(self, request).await)
    }

    async fn get_opportunity(&self, request: Request<pb::GetOpportunityRequest>) -> Answer<pb::Opportunity> {
        answer(self.opportunities.get(request).await)
    }

    async fn batch_get_opportunities(
        &self,
        request: Request<pb::BatchGetOpportunitiesRequest>,
    ) -> Answer<pb::BatchGetOpportunitiesResponse> {
        answer(self.opportunities.batch_get(request).await)
    }

    async fn list_opportunities(
        &self,
        request: Request<pb::ListOpportunitiesRequest>,
    ) -> Answer<pb::ListOpportunitiesResponse> {
        answer(self.opportunities.list(request).await)
    }

    async fn update_opportunity(&self, request: Request<pb::UpdateOpportunityRequest>) -> Answer<pb::Opportunity> {
        answer(update::update(self, request).await)
    }

    async fn delete_opportunity(&self, request: Request<pb::DeleteOpportunityRequest>) -> Answer<pb::Opportunity> {
        answer(self.opportunities.delete(request).await)
    }

    async fn undelete_opportunity(&self, request: Request<pb::UndeleteOpportunityRequest>) -> Answer<pb::Opportunity> {
        answer(undelete::undelete(self, request).await)
    }

    async fn export_opportunities(
        &self,
        request: Request<pb::ExportOpportunitiesRequest>,
    ) -> Answer<Self::ExportOpportunitiesStream> {
        Ok(self.opportunities.export(request).await?)
    }

    async fn get_opportunity_history(
        &self,
        request: Request<pb::GetOpportunityHistoryRequest>,
    ) -> Answer<pb::GetOpportunityHistoryResponse> {
        answer(self.opportunities.history(request).await)
    }

    async fn get_opportunity_stages(
        &self,
        request: Request<pb::GetOpportunityStagesRequest>,
    ) -> Answer<pb::GetOpportunityStagesResponse> {
        answer(stays::list(self, request).await)
    }

    async fn list_stale_opportunities(
        &self,
        request: Request<pb::ListStaleOpportunitiesRequest>,
    ) -> Answer<pb::ListStaleOpportunitiesResponse> {
        answer(stale::list(self, request).await)
    }

    async fn reassign_opportunities(&self, request: Request<pb::ReassignOpportunitiesRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<Reassign>(request).await)
    }

    async fn get_timeline(&self, request: Request<GetTimelineRequest>) -> Answer<GetTimelineResponse> {
        answer(self.activities.timeline(&self.opportunities, request).await)
    }
}
