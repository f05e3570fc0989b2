use crm_proto::customers::contact_service_server::ContactService;
use crm_proto::customers::{self as pb};
use tonic::{Request, Response, Status, async_trait};

use super::Grpc;
use super::export::{ExportStream, export};
use crate::call::Call;
use crate::convert::{self, List, PageRequest};
use crate::create_contact::create_contact;
use crate::delete_contact::{delete_contact, undelete_contact};
use crate::domain::{Contact, ContactId};
use crate::store::listing::{self, Position};
use crate::update_contact::update_contact;

#[async_trait]
impl ContactService for Grpc {
    type ExportContactsStream = ExportStream<pb::Contact>;

    async fn create_contact(
        &self,
        request: Request<pb::CreateContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let call = Call::of(&request)?;
        let new = convert::create_contact(request.into_inner())?;
        Ok(Response::new(create_contact(&self.customers, call, new).await?))
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Result<Response<pb::Contact>, Status> {
        let call = Call::of(&request)?;
        let id = convert::single(&request.get_ref().id)?;
        let contact = self.customers.store.get_contact(call, id).await?;
        Ok(Response::new(contact.message.clone()))
    }

    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Result<Response<pb::BatchGetContactsResponse>, Status> {
        let call = Call::of(&request)?;
        let ids = convert::batch(&request.get_ref().ids)?;
        let contacts = self.customers.store.get_contacts(call, &ids).await?;
        let contacts = contacts.iter().map(|contact| contact.message.clone()).collect();
        Ok(Response::new(pb::BatchGetContactsResponse { contacts }))
    }

    async fn list_contacts(
        &self,
        request: Request<pb::ListContactsRequest>,
    ) -> Result<Response<pb::ListContactsResponse>, Status> {
        let call = Call::of(&request)?;
        let (listing, scope) = convert::page(List::CONTACTS, call.tenant, &page_request(request.into_inner()))?;
        let mut transaction = self.customers.store.begin_read(call).await?;
        let mut rows = listing::contacts(&mut transaction, call.tenant, &listing).await?;
        transaction.commit().await.map_err(crate::error::Error::from)?;
        let next_page_token = convert::next_page_token(&mut rows, &listing, scope, Position::of_contact)?;
        let contacts = rows.iter().map(convert::contact_message).collect();
        Ok(Response::new(pb::ListContactsResponse { contacts, next_page_token }))
    }

    async fn update_contact(
        &self,
        request: Request<pb::UpdateContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let call = Call::of(&request)?;
        let change = convert::update_contact(request.into_inner())?;
        let contact = update_contact(&self.customers, call, change).await?;
        Ok(Response::new(convert::contact_message(&contact)))
    }

    async fn delete_contact(
        &self,
        request: Request<pb::DeleteContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let call = Call::of(&request)?;
        let pb::DeleteContactRequest { id, etag } = request.into_inner();
        let id = ContactId(convert::single(&id)?);
        let contact = delete_contact(&self.customers, call, id, &etag).await?;
        Ok(Response::new(convert::contact_message(&contact)))
    }

    async fn undelete_contact(
        &self,
        request: Request<pb::UndeleteContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let call = Call::of(&request)?;
        let pb::UndeleteContactRequest { id, etag } = request.into_inner();
        let id = ContactId(convert::single(&id)?);
        let contact = undelete_contact(&self.customers, call, id, &etag).await?;
        Ok(Response::new(convert::contact_message(&contact)))
    }

    async fn export_contacts(
        &self,
        request: Request<pb::ExportContactsRequest>,
    ) -> Result<Response<Self::ExportContactsStream>, Status> {
        let call = Call::of(&request)?;
        let pb::ExportContactsRequest { filter, show_deleted } = request.into_inner();
        let selection = convert::export_selection(List::CONTACTS, &filter, show_deleted)?;
        Ok(Response::new(export::<Contact, _>(&self.customers, call, selection, convert::contact_message).await?))
    }
}

fn page_request(request: pb::ListContactsRequest) -> PageRequest {
    let pb::ListContactsRequest { page_size, page_token, filter, order_by, show_deleted } = request;
    PageRequest { page_size, page_token, filter, order_by, show_deleted }
}
