use crm_proto::customers::import_service_server::ImportService;
use crm_proto::imports as pb;
use crm_proto::operations::Operation;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Customers;

#[async_trait]
impl ImportService for Customers {
    async fn create_import(&self, request: Request<pb::CreateImportRequest>) -> Answer<pb::Import> {
        answer(self.imports.create(request).await)
    }

    async fn get_import(&self, request: Request<pb::GetImportRequest>) -> Answer<pb::Import> {
        answer(self.imports.get(request).await)
    }

    async fn list_imports(&self, request: Request<pb::ListImportsRequest>) -> Answer<pb::ListImportsResponse> {
        answer(self.imports.list(request).await)
    }

    async fn upload_import(&self, request: Request<pb::UploadImportRequest>) -> Answer<pb::Import> {
        answer(self.imports.upload(request).await)
    }

    async fn inspect_import(&self, request: Request<pb::InspectImportRequest>) -> Answer<pb::InspectImportResponse> {
        answer(self.imports.inspect(request).await)
    }

    async fn update_import(&self, request: Request<pb::UpdateImportRequest>) -> Answer<pb::Import> {
        answer(self.imports.update(request).await)
    }

    async fn check_import(&self, request: Request<pb::CheckImportRequest>) -> Answer<Operation> {
        answer(self.imports.check(request).await)
    }

    async fn run_import(&self, request: Request<pb::RunImportRequest>) -> Answer<Operation> {
        answer(self.imports.run(request).await)
    }

    async fn undo_import(&self, request: Request<pb::UndoImportRequest>) -> Answer<Operation> {
        answer(self.imports.undo(request).await)
    }

    async fn list_import_errors(
        &self,
        request: Request<pb::ListImportErrorsRequest>,
    ) -> Answer<pb::ListImportErrorsResponse> {
        answer(self.imports.errors(request).await)
    }
}
