use crm_proto::sales as pb;
use crm_proto::sales::exchange_rate_service_server::ExchangeRateService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl ExchangeRateService for Sales {
    type ExportExchangeRatesStream = Export<pb::ExchangeRate>;

    async fn create_exchange_rate(&self, request: Request<pb::CreateExchangeRateRequest>) -> Answer<pb::ExchangeRate> {
        answer(self.exchange_rates.create(request).await)
    }

    async fn get_exchange_rate(&self, request: Request<pb::GetExchangeRateRequest>) -> Answer<pb::ExchangeRate> {
        answer(self.exchange_rates.get(request).await)
    }

    async fn batch_get_exchange_rates(
        &self,
        request: Request<pb::BatchGetExchangeRatesRequest>,
    ) -> Answer<pb::BatchGetExchangeRatesResponse> {
        answer(self.exchange_rates.batch_get(request).await)
    }

    async fn list_exchange_rates(
        &self,
        request: Request<pb::ListExchangeRatesRequest>,
    ) -> Answer<pb::ListExchangeRatesResponse> {
        answer(self.exchange_rates.list(request).await)
    }

    async fn update_exchange_rate(&self, request: Request<pb::UpdateExchangeRateRequest>) -> Answer<pb::ExchangeRate> {
        answer(self.exchange_rates.update(request).await)
    }

    async fn delete_exchange_rate(&self, request: Request<pb::DeleteExchangeRateRequest>) -> Answer<pb::ExchangeRate> {
        answer(self.exchange_rates.delete(request).await)
    }

    async fn undelete_exchange_rate(
        &self,
        request: Request<pb::UndeleteExchangeRateRequest>,
    ) -> Answer<pb::ExchangeRate> {
        answer(self.exchange_rates.undelete(request).await)
    }

    async fn export_exchange_rates(
        &self,
        request: Request<pb::ExportExchangeRatesRequest>,
    ) -> Answer<Self::ExportExchangeRatesStream> {
        Ok(self.exchange_rates.export(request).await?)
    }

    async fn get_exchange_rate_history(
        &self,
        request: Request<pb::GetExchangeRateHistoryRequest>,
    ) -> Answer<pb::GetExchangeRateHistoryResponse> {
        answer(self.exchange_rates.history(request).await)
    }
}
