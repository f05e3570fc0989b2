use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::customers as pb;
use crm_proto::customers::contact_service_server::ContactService;
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations::Operation;
use crm_resource::{Answer, Call, Error, Export, answer};
use tonic::{Request, async_trait};

use super::{ERASED, MergeContact, UnmergeContact, create, erase, undelete};
use crate::Customers;

#[async_trait]
impl ContactService for Customers {
    type ExportContactsStream = Export<pb::Contact>;

    async fn create_contact(&self, request: Request<pb::CreateContactRequest>) -> Answer<pb::Contact> {
        answer(create::create(&self.contacts, &self.accounts, request).await)
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Answer<pb::Contact> {
        let call = Call::of(&request)?;
        Ok(self.told(&call, self.contacts.get_or_follow(request).await).await?)
    }

    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Answer<pb::BatchGetContactsResponse> {
        let call = Call::of(&request)?;
        answer(self.told(&call, self.contacts.batch_get(request).await).await)
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Answer<pb::ListContactsResponse> {
        answer(self.contacts.list(request).await)
    }

    async fn update_contact(&self, request: Request<pb::UpdateContactRequest>) -> Answer<pb::Contact> {
        let call = Call::of(&request)?;
        answer(self.told(&call, self.contacts.update(request).await).await)
    }

    async fn delete_contact(&self, request: Request<pb::DeleteContactRequest>) -> Answer<pb::Contact> {
        let call = Call::of(&request)?;
        answer(self.told(&call, self.contacts.delete(request).await).await)
    }

    async fn undelete_contact(&self, request: Request<pb::UndeleteContactRequest>) -> Answer<pb::Contact> {
        let call = Call::of(&request)?;
        answer(self.told(&call, undelete::undelete(&self.contacts, &self.accounts, request).await).await)
    }

    async fn export_contacts(&self, request: Request<pb::ExportContactsRequest>) -> Answer<Self::ExportContactsStream> {
        Ok(self.contacts.export(request).await?)
    }

    async fn get_contact_history(
        &self,
        request: Request<pb::GetContactHistoryRequest>,
    ) -> Answer<pb::GetContactHistoryResponse> {
        let call = Call::of(&request)?;
        answer(self.told(&call, self.contacts.history(request).await).await)
    }

    async fn merge_contact(&self, request: Request<MergeRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<MergeContact>(request).await)
    }

    async fn unmerge_contact(&self, request: Request<UnmergeRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<UnmergeContact>(request).await)
    }

    async fn get_timeline(&self, request: Request<GetTimelineRequest>) -> Answer<GetTimelineResponse> {
        let call = Call::of(&request)?;
        answer(self.told(&call, self.activities.timeline(&self.contacts, request).await).await)
    }

    async fn erase_contact(&self, request: Request<pb::EraseContactRequest>) -> Answer<Operation> {
        answer(erase::begin(&self.erase, request).await)
    }
}

impl Customers {
    /// Of a contact that was erased, that it was.
    async fn told<T>(&self, call: &Call, result: Result<T, Error>) -> Result<T, Error> {
        self.contacts.or_erased(call, result, &ERASED).await
    }
}
