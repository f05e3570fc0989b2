use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::customers as pb;
use crm_proto::customers::contact_service_server::ContactService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use super::{create, undelete};
use crate::Customers;

#[async_trait]
impl ContactService for Customers {
    type ExportContactsStream = Export<pb::Contact>;

    async fn create_contact(&self, request: Request<pb::CreateContactRequest>) -> Answer<pb::Contact> {
        answer(create::create(&self.contacts, &self.accounts, request).await)
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Answer<pb::Contact> {
        answer(self.contacts.get(request).await)
    }

    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Answer<pb::BatchGetContactsResponse> {
        answer(self.contacts.batch_get(request).await)
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Answer<pb::ListContactsResponse> {
        answer(self.contacts.list(request).await)
    }

    async fn update_contact(&self, request: Request<pb::UpdateContactRequest>) -> Answer<pb::Contact> {
        answer(self.contacts.update(request).await)
    }

    async fn delete_contact(&self, request: Request<pb::DeleteContactRequest>) -> Answer<pb::Contact> {
        answer(self.contacts.delete(request).await)
    }

    async fn undelete_contact(&self, request: Request<pb::UndeleteContactRequest>) -> Answer<pb::Contact> {
        answer(undelete::undelete(&self.contacts, &self.accounts, request).await)
    }

    async fn export_contacts(&self, request: Request<pb::ExportContactsRequest>) -> Answer<Self::ExportContactsStream> {
        Ok(self.contacts.export(request).await?)
    }

    async fn get_contact_history(
        &self,
        request: Request<pb::GetContactHistoryRequest>,
    ) -> Answer<pb::GetContactHistoryResponse> {
        answer(self.contacts.history(request).await)
    }

    async fn get_timeline(&self, request: Request<GetTimelineRequest>) -> Answer<GetTimelineResponse> {
        answer(self.activities.timeline(&self.contacts, request).await)
    }
}
