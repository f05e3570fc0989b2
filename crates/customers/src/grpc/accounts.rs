use crm_proto::customers::account_service_server::AccountService;
use crm_proto::customers::{self as pb};
use tonic::{Request, Response, Status, async_trait};

use super::Grpc;
use super::export::{ExportStream, export};
use crate::call::Call;
use crate::convert::{self, List, PageRequest};
use crate::create_account::create_account;
use crate::delete_account::{delete_account, undelete_account};
use crate::domain::{Account, AccountId};
use crate::store::listing::{self, Position};
use crate::update_account::update_account;

#[async_trait]
impl AccountService for Grpc {
    type ExportAccountsStream = ExportStream<pb::Account>;

    async fn create_account(
        &self,
        request: Request<pb::CreateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        let call = Call::of(&request)?;
        let new = convert::create_account(request.into_inner())?;
        Ok(Response::new(create_account(&self.customers, call, new).await?))
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Result<Response<pb::Account>, Status> {
        let call = Call::of(&request)?;
        let id = convert::single(&request.get_ref().id)?;
        let account = self.customers.store.get_account(call, id).await?;
        Ok(Response::new(account.message.clone()))
    }

    async fn batch_get_accounts(
        &self,
        request: Request<pb::BatchGetAccountsRequest>,
    ) -> Result<Response<pb::BatchGetAccountsResponse>, Status> {
        let call = Call::of(&request)?;
        let ids = convert::batch(&request.get_ref().ids)?;
        let accounts = self.customers.store.get_accounts(call, &ids).await?;
        let accounts = accounts.iter().map(|account| account.message.clone()).collect();
        Ok(Response::new(pb::BatchGetAccountsResponse { accounts }))
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        let call = Call::of(&request)?;
        let (listing, scope) = convert::page(List::ACCOUNTS, call.tenant, &page_request(request.into_inner()))?;
        let mut transaction = self.customers.store.begin_read(call).await?;
        let mut rows = listing::accounts(&mut transaction, call.tenant, &listing).await?;
        transaction.commit().await.map_err(crate::error::Error::from)?;
        let next_page_token = convert::next_page_token(&mut rows, &listing, scope, Position::of_account)?;
        let accounts = rows.iter().map(convert::account_message).collect();
        Ok(Response::new(pb::ListAccountsResponse { accounts, next_page_token }))
    }

    async fn update_account(
        &self,
        request: Request<pb::UpdateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        let call = Call::of(&request)?;
        let change = convert::update_account(request.into_inner())?;
        let account = update_account(&self.customers, call, change).await?;
        Ok(Response::new(convert::account_message(&account)))
    }

    async fn delete_account(
        &self,
        request: Request<pb::DeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        let call = Call::of(&request)?;
        let pb::DeleteAccountRequest { id, etag } = request.into_inner();
        let id = AccountId(convert::single(&id)?);
        let account = delete_account(&self.customers, call, id, &etag).await?;
        Ok(Response::new(convert::account_message(&account)))
    }

    async fn undelete_account(
        &self,
        request: Request<pb::UndeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        let call = Call::of(&request)?;
        let pb::UndeleteAccountRequest { id, etag } = request.into_inner();
        let id = AccountId(convert::single(&id)?);
        let account = undelete_account(&self.customers, call, id, &etag).await?;
        Ok(Response::new(convert::account_message(&account)))
    }

    async fn export_accounts(
        &self,
        request: Request<pb::ExportAccountsRequest>,
    ) -> Result<Response<Self::ExportAccountsStream>, Status> {
        let call = Call::of(&request)?;
        let pb::ExportAccountsRequest { filter, show_deleted } = request.into_inner();
        let selection = convert::export_selection(List::ACCOUNTS, &filter, show_deleted)?;
        Ok(Response::new(export::<Account, _>(&self.customers, call, selection, convert::account_message).await?))
    }
}

fn page_request(request: pb::ListAccountsRequest) -> PageRequest {
    let pb::ListAccountsRequest { page_size, page_token, filter, order_by, show_deleted } = request;
    PageRequest { page_size, page_token, filter, order_by, show_deleted }
}
