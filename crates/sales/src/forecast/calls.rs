use crm_proto::sales as pb;
use crm_proto::sales::forecast_service_server::ForecastService;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl ForecastService for Sales {
    async fn get_forecast(&self, request: Request<pb::GetForecastRequest>) -> Answer<pb::Forecast> {
        answer(super::forecast(self, request).await)
    }
}
