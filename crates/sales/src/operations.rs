//! What goes on when its caller is gone.

use crm_proto::operations as pb;
use crm_proto::sales::operation_service_server::OperationService;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl OperationService for Sales {
    async fn get_operation(&self, request: Request<pb::GetOperationRequest>) -> Answer<pb::Operation> {
        answer(self.store.get_operation(request).await)
    }

    async fn list_operations(&self, request: Request<pb::ListOperationsRequest>) -> Answer<pb::ListOperationsResponse> {
        answer(self.store.list_operations(request).await)
    }

    async fn cancel_operation(&self, request: Request<pb::CancelOperationRequest>) -> Answer<pb::Operation> {
        answer(self.store.cancel_operation(request).await)
    }

    async fn wait_operation(&self, request: Request<pb::WaitOperationRequest>) -> Answer<pb::Operation> {
        answer(self.store.wait_operation(request).await)
    }
}
