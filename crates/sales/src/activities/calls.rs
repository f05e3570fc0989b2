use crm_proto::activities as pb;
use crm_proto::sales::activity_service_server::ActivityService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl ActivityService for Sales {
    type ExportActivitiesStream = Export<pb::Activity>;

    async fn create_activity(&self, request: Request<pb::CreateActivityRequest>) -> Answer<pb::Activity> {
        answer(self.activities.create(request).await)
    }

    async fn get_activity(&self, request: Request<pb::GetActivityRequest>) -> Answer<pb::Activity> {
        answer(self.activities.get(request).await)
    }

    async fn batch_get_activities(
        &self,
        request: Request<pb::BatchGetActivitiesRequest>,
    ) -> Answer<pb::BatchGetActivitiesResponse> {
        answer(self.activities.batch_get(request).await)
    }

    async fn list_activities(&self, request: Request<pb::ListActivitiesRequest>) -> Answer<pb::ListActivitiesResponse> {
        answer(self.activities.list(request).await)
    }

    async fn list_open_tasks(&self, request: Request<pb::ListOpenTasksRequest>) -> Answer<pb::ListOpenTasksResponse> {
        answer(self.activities.open_tasks(request).await)
    }

    async fn update_activity(&self, request: Request<pb::UpdateActivityRequest>) -> Answer<pb::Activity> {
        answer(self.activities.update(request).await)
    }

    async fn delete_activity(&self, request: Request<pb::DeleteActivityRequest>) -> Answer<pb::Activity> {
        answer(self.activities.delete(request).await)
    }

    async fn undelete_activity(&self, request: Request<pb::UndeleteActivityRequest>) -> Answer<pb::Activity> {
        answer(self.activities.undelete(request).await)
    }

    async fn export_activities(
        &self,
        request: Request<pb::ExportActivitiesRequest>,
    ) -> Answer<Self::ExportActivitiesStream> {
        Ok(self.activities.export(request).await?)
    }

    async fn get_activity_history(
        &self,
        request: Request<pb::GetActivityHistoryRequest>,
    ) -> Answer<pb::GetActivityHistoryResponse> {
        answer(self.activities.history(request).await)
    }
}
