use crm_proto::sales as pb;
use crm_proto::sales::product_service_server::ProductService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl ProductService for Sales {
    type ExportProductsStream = Export<pb::Product>;

    async fn create_product(&self, request: Request<pb::CreateProductRequest>) -> Answer<pb::Product> {
        answer(self.products.create(request).await)
    }

    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Answer<pb::Product> {
        answer(self.products.get(request).await)
    }

    async fn batch_get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Answer<pb::BatchGetProductsResponse> {
        answer(self.products.batch_get(request).await)
    }

    async fn list_products(&self, request: Request<pb::ListProductsRequest>) -> Answer<pb::ListProductsResponse> {
        answer(self.products.list(request).await)
    }

    async fn update_product(&self, request: Request<pb::UpdateProductRequest>) -> Answer<pb::Product> {
        answer(self.products.update(request).await)
    }

    async fn delete_product(&self, request: Request<pb::DeleteProductRequest>) -> Answer<pb::Product> {
        answer(self.products.delete(request).await)
    }

    async fn undelete_product(&self, request: Request<pb::UndeleteProductRequest>) -> Answer<pb::Product> {
        answer(self.products.undelete(request).await)
    }

    async fn export_products(&self, request: Request<pb::ExportProductsRequest>) -> Answer<Self::ExportProductsStream> {
        Ok(self.products.export(request).await?)
    }

    async fn get_product_history(
        &self,
        request: Request<pb::GetProductHistoryRequest>,
    ) -> Answer<pb::GetProductHistoryResponse> {
        answer(self.products.history(request).await)
    }
}
