use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::customers as pb;
use crm_proto::customers::account_service_server::AccountService;
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations::Operation;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use super::{MergeAccount, Reassign, UnmergeAccount, create, delete, update};
use crate::Customers;

#[async_trait]
impl AccountService for Customers {
    type ExportAccountsStream = Export<pb::Account>;

    async fn create_account(&self, request: Request<pb::CreateAccountRequest>) -> Answer<pb::Account> {
        answer(create::create(&self.accounts, request).await)
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Answer<pb::Account> {
        Ok(self.accounts.get_or_follow(request).await?)
    }

    async fn batch_get_accounts(
        &self,
        request: Request<pb::BatchGetAccountsRequest>,
    ) -> Answer<pb::BatchGetAccountsResponse> {
        answer(self.accounts.batch_get(request).await)
    }

    async fn list_accounts(&self, request: Request<pb::ListAccountsRequest>) -> Answer<pb::ListAccountsResponse> {
        answer(self.accounts.list(request).await)
    }

    async fn update_account(&self, request: Request<pb::UpdateAccountRequest>) -> Answer<pb::Account> {
        answer(update::update(&self.accounts, request).await)
    }

    async fn delete_account(&self, request: Request<pb::DeleteAccountRequest>) -> Answer<pb::Account> {
        answer(delete::delete(&self.accounts, request).await)
    }

    async fn undelete_account(&self, request: Request<pb::UndeleteAccountRequest>) -> Answer<pb::Account> {
        answer(delete::undelete(&self.accounts, request).await)
    }

    async fn export_accounts(&self, request: Request<pb::ExportAccountsRequest>) -> Answer<Self::ExportAccountsStream> {
        Ok(self.accounts.export(request).await?)
    }

    async fn get_account_history(
        &self,
        request: Request<pb::GetAccountHistoryRequest>,
    ) -> Answer<pb::GetAccountHistoryResponse> {
        answer(self.accounts.history(request).await)
    }

    async fn reassign_accounts(&self, request: Request<pb::ReassignAccountsRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<Reassign>(request).await)
    }

    async fn merge_account(&self, request: Request<MergeRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<MergeAccount>(request).await)
    }

    async fn unmerge_account(&self, request: Request<UnmergeRequest>) -> Answer<Operation> {
        answer(self.store.begin_operation::<UnmergeAccount>(request).await)
    }

    async fn get_timeline(&self, request: Request<GetTimelineRequest>) -> Answer<GetTimelineResponse> {
        answer(self.activities.timeline(&self.accounts, request).await)
    }
}
