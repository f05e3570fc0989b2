use crm_proto::sales::saved_view_service_server::SavedViewService;
use crm_proto::views as pb;
use crm_resource::views::SavedViewExport;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl SavedViewService for Sales {
    type ExportSavedViewsStream = SavedViewExport;

    async fn create_saved_view(&self, request: Request<pb::CreateSavedViewRequest>) -> Answer<pb::SavedView> {
        answer(self.saved_views.create(request).await)
    }

    async fn get_saved_view(&self, request: Request<pb::GetSavedViewRequest>) -> Answer<pb::SavedView> {
        answer(self.saved_views.get(request).await)
    }

    async fn batch_get_saved_views(
        &self,
        request: Request<pb::BatchGetSavedViewsRequest>,
    ) -> Answer<pb::BatchGetSavedViewsResponse> {
        answer(self.saved_views.batch_get(request).await)
    }

    async fn list_saved_views(
        &self,
        request: Request<pb::ListSavedViewsRequest>,
    ) -> Answer<pb::ListSavedViewsResponse> {
        answer(self.saved_views.list(request).await)
    }

    async fn update_saved_view(&self, request: Request<pb::UpdateSavedViewRequest>) -> Answer<pb::SavedView> {
        answer(self.saved_views.update(request).await)
    }

    async fn delete_saved_view(&self, request: Request<pb::DeleteSavedViewRequest>) -> Answer<pb::SavedView> {
        answer(self.saved_views.delete(request).await)
    }

    async fn undelete_saved_view(&self, request: Request<pb::UndeleteSavedViewRequest>) -> Answer<pb::SavedView> {
        answer(self.saved_views.undelete(request).await)
    }

    async fn export_saved_views(
        &self,
        request: Request<pb::ExportSavedViewsRequest>,
    ) -> Answer<Self::ExportSavedViewsStream> {
        Ok(self.saved_views.export(request).await?)
    }

    async fn get_saved_view_history(
        &self,
        request: Request<pb::GetSavedViewHistoryRequest>,
    ) -> Answer<pb::GetSavedViewHistoryResponse> {
        answer(self.saved_views.history(request).await)
    }
}
