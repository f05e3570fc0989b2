use crm_proto::operations::Operation;
use crm_proto::sales as pb;
use crm_proto::sales::pipeline_service_server::PipelineService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use super::{MergeStage, board, delete, update};
use crate::Sales;

#[async_trait]
impl PipelineService for Sales {
    type ExportPipelinesStream = Export<pb::Pipeline>;

    async fn create_pipeline(&self, request: Request<pb::CreatePipelineRequest>) -> Answer<pb::Pipeline> {
        answer(self.pipelines.create(request).await)
    }

    async fn get_pipeline(&self, request: Request<pb::GetPipelineRequest>) -> Answer<pb::Pipeline> {
        answer(self.pipelines.get(request).await)
    }

    async fn batch_get_pipelines(
        &self,
        request: Request<pb::BatchGetPipelinesRequest>,
    ) -> Answer<pb::BatchGetPipelinesResponse> {
        answer(self.pipelines.batch_get(request).await)
    }

    async fn list_pipelines(&self, request: Request<pb::ListPipelinesRequest>) -> Answer<pb::ListPipelinesResponse> {
        answer(self.pipelines.list(request).await)
    }

    async fn update_pipeline(&self, request: Request<pb::UpdatePipelineRequest>) -> Answer<pb::Pipeline> {
        answer(update::update(&self.pipelines, request).await)
    }

    async fn delete_pipeline(&self, request: Request<pb::DeletePipelineRequest>) -> Answer<pb::Pipeline> {
        answer(delete::delete(&self.pipelines, request).await)
    }

    async fn undelete_pipeline(&self, request: Request<pb::UndeletePipelineRequest>) -> Answer<pb::Pipeline> {
        answer(self.pipelines.undelete(request).await)
    }

    async fn export_pipelines(
        &self,
        request: Request<pb::ExportPipelinesRequest>,
    ) -> Answer<Self::ExportPipelinesStream> {
        Ok(self.pipelines.export(request).await?)
    }

    async fn get_pipeline_history(
        &self,
        request: Request<pb::GetPipelineHistoryRequest>,
    ) -> Answer<pb::GetPipelineHistoryResponse> {
        answer(self.pipelines.history(request).await)
    }

    async fn merge_stage(&self, request: Request<pb::MergeStageRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<MergeStage>(request).await)
    }

    async fn get_board(&self, request: Request<pb::GetBoardRequest>) -> Answer<pb::Board> {
        answer(board::board(self, request).await)
    }
}
