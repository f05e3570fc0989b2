use crm_proto::sales as pb;
use crm_proto::sales::target_service_server::TargetService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl TargetService for Sales {
    type ExportTargetsStream = Export<pb::Target>;

    async fn create_target(&self, request: Request<pb::CreateTargetRequest>) -> Answer<pb::Target> {
        answer(self.targets.create(request).await)
    }

    async fn get_target(&self, request: Request<pb::GetTargetRequest>) -> Answer<pb::Target> {
        answer(self.targets.get(request).await)
    }

    async fn batch_get_targets(
        &self,
        request: Request<pb::BatchGetTargetsRequest>,
    ) -> Answer<pb::BatchGetTargetsResponse> {
        answer(self.targets.batch_get(request).await)
    }

    async fn list_targets(&self, request: Request<pb::ListTargetsRequest>) -> Answer<pb::ListTargetsResponse> {
        answer(self.targets.list(request).await)
    }

    async fn update_target(&self, request: Request<pb::UpdateTargetRequest>) -> Answer<pb::Target> {
        answer(self.targets.update(request).await)
    }

    async fn delete_target(&self, request: Request<pb::DeleteTargetRequest>) -> Answer<pb::Target> {
        answer(self.targets.delete(request).await)
    }

    async fn undelete_target(&self, request: Request<pb::UndeleteTargetRequest>) -> Answer<pb::Target> {
        answer(self.targets.undelete(request).await)
    }

    async fn export_targets(&self, request: Request<pb::ExportTargetsRequest>) -> Answer<Self::ExportTargetsStream> {
        Ok(self.targets.export(request).await?)
    }

    async fn get_target_history(
        &self,
        request: Request<pb::GetTargetHistoryRequest>,
    ) -> Answer<pb::GetTargetHistoryResponse> {
        answer(self.targets.history(request).await)
    }
}
