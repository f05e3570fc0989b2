use crm_proto::customers as pb;
use crm_proto::customers::search_service_server::SearchService;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use super::{duplicates, hits};
use crate::Customers;

#[async_trait]
impl SearchService for Customers {
    async fn search_customers(
        &self,
        request: Request<pb::SearchCustomersRequest>,
    ) -> Answer<pb::SearchCustomersResponse> {
        answer(hits::search(self, request).await)
    }

    async fn find_duplicate_accounts(
        &self,
        request: Request<pb::FindDuplicateAccountsRequest>,
    ) -> Answer<pb::FindDuplicateAccountsResponse> {
        answer(duplicates::of_account(self, request).await)
    }

    async fn find_duplicate_contacts(
        &self,
        request: Request<pb::FindDuplicateContactsRequest>,
    ) -> Answer<pb::FindDuplicateContactsResponse> {
        answer(duplicates::of_contact(self, request).await)
    }
}
