use crm_proto::attributes as pb;
use crm_proto::operations::Operation;
use crm_proto::sales::attribute_definition_service_server::AttributeDefinitionService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl AttributeDefinitionService for Sales {
    type ExportAttributeDefinitionsStream = Export<pb::AttributeDefinition>;

    async fn create_attribute_definition(
        &self,
        request: Request<pb::CreateAttributeDefinitionRequest>,
    ) -> Answer<pb::AttributeDefinition> {
        answer(self.definitions.create(request).await)
    }

    async fn get_attribute_definition(
        &self,
        request: Request<pb::GetAttributeDefinitionRequest>,
    ) -> Answer<pb::AttributeDefinition> {
        answer(self.definitions.get(request).await)
    }

    async fn batch_get_attribute_definitions(
        &self,
        request: Request<pb::BatchGetAttributeDefinitionsRequest>,
    ) -> Answer<pb::BatchGetAttributeDefinitionsResponse> {
        answer(self.definitions.batch_get(request).await)
    }

    async fn list_attribute_definitions(
        &self,
        request: Request<pb::ListAttributeDefinitionsRequest>,
    ) -> Answer<pb::ListAttributeDefinitionsResponse> {
        answer(self.definitions.list(request).await)
    }

    async fn update_attribute_definition(
        &self,
        request: Request<pb::UpdateAttributeDefinitionRequest>,
    ) -> Answer<pb::AttributeDefinition> {
        answer(self.definitions.update(request).await)
    }

    async fn delete_attribute_definition(
        &self,
        request: Request<pb::DeleteAttributeDefinitionRequest>,
    ) -> Answer<pb::AttributeDefinition> {
        answer(self.definitions.delete(request).await)
    }

    async fn undelete_attribute_definition(
        &self,
        request: Request<pb::UndeleteAttributeDefinitionRequest>,
    ) -> Answer<pb::AttributeDefinition> {
        answer(self.definitions.undelete(request).await)
    }

    async fn get_attribute_definition_history(
        &self,
        request: Request<pb::GetAttributeDefinitionHistoryRequest>,
    ) -> Answer<pb::GetAttributeDefinitionHistoryResponse> {
        answer(self.definitions.history(request).await)
    }

    async fn export_attribute_definitions(
        &self,
        request: Request<pb::ExportAttributeDefinitionsRequest>,
    ) -> Answer<Self::ExportAttributeDefinitionsStream> {
        Ok(self.definitions.export(request).await?)
    }

    async fn make_attribute_filterable(
        &self,
        request: Request<pb::MakeAttributeFilterableRequest>,
    ) -> Answer<Operation> {
        answer(self.definitions.make_filterable(request).await)
    }
}
