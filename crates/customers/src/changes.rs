//! What was changed, for whoever needs to hear of it.

use crm_proto::customers::change_service_server::ChangeService;
use crm_proto::journal as pb;
use crm_resource::{Answer, Watch};
use tonic::{Request, async_trait};

use crate::Customers;

#[async_trait]
impl ChangeService for Customers {
    type WatchChangesStream = Watch<pb::WatchChangesResponse>;
    type WatchTenantsStream = Watch<pb::WatchTenantsResponse>;

    async fn list_changes(&self, request: Request<pb::ListChangesRequest>) -> Answer<pb::ListChangesResponse> {
        self.changes.list(request).await
    }

    async fn watch_changes(&self, request: Request<pb::WatchChangesRequest>) -> Answer<Self::WatchChangesStream> {
        self.changes.watch(request).await
    }

    async fn watch_tenants(&self, request: Request<pb::WatchTenantsRequest>) -> Answer<Self::WatchTenantsStream> {
        self.changes.watch_tenants(request).await
    }
}
