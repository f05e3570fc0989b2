use crm_proto::operations::Operation;
use crm_proto::sales::tag_service_server::TagService;
use crm_proto::tags as pb;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl TagService for Sales {
    type ExportTagsStream = Export<pb::Tag>;

    async fn create_tag(&self, request: Request<pb::CreateTagRequest>) -> Answer<pb::Tag> {
        answer(self.tags.create(request).await)
    }

    async fn get_tag(&self, request: Request<pb::GetTagRequest>) -> Answer<pb::Tag> {
        answer(self.tags.get(request).await)
    }

    async fn batch_get_tags(&self, request: Request<pb::BatchGetTagsRequest>) -> Answer<pb::BatchGetTagsResponse> {
        answer(self.tags.batch_get(request).await)
    }

    async fn list_tags(&self, request: Request<pb::ListTagsRequest>) -> Answer<pb::ListTagsResponse> {
        answer(self.tags.list(request).await)
    }

    async fn update_tag(&self, request: Request<pb::UpdateTagRequest>) -> Answer<pb::Tag> {
        answer(self.tags.update(request).await)
    }

    async fn delete_tag(&self, request: Request<pb::DeleteTagRequest>) -> Answer<pb::Tag> {
        answer(self.tags.delete(request).await)
    }

    async fn undelete_tag(&self, request: Request<pb::UndeleteTagRequest>) -> Answer<pb::Tag> {
        answer(self.tags.undelete(request).await)
    }

    async fn export_tags(&self, request: Request<pb::ExportTagsRequest>) -> Answer<Self::ExportTagsStream> {
        Ok(self.tags.export(request).await?)
    }

    async fn get_tag_history(&self, request: Request<pb::GetTagHistoryRequest>) -> Answer<pb::GetTagHistoryResponse> {
        answer(self.tags.history(request).await)
    }

    async fn merge_tag(&self, request: Request<pb::MergeTagRequest>) -> Answer<Operation> {
        answer(self.tags.merge(request).await)
    }
}
