use crm_proto::sales as pb;
use crm_proto::sales::sales_settings_service_server::SalesSettingsService;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl SalesSettingsService for Sales {
    async fn get_sales_settings(&self, request: Request<pb::GetSalesSettingsRequest>) -> Answer<pb::SalesSettings> {
        answer(super::get(&self.settings, request).await)
    }

    async fn update_sales_settings(
        &self,
        request: Request<pb::UpdateSalesSettingsRequest>,
    ) -> Answer<pb::SalesSettings> {
        answer(super::update(&self.settings, request).await)
    }
}
