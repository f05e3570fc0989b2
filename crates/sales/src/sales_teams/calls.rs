use crm_proto::sales as pb;
use crm_proto::sales::sales_team_service_server::SalesTeamService;
use crm_resource::{Answer, Export, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl SalesTeamService for Sales {
    type ExportSalesTeamsStream = Export<pb::SalesTeam>;

    async fn create_sales_team(&self, request: Request<pb::CreateSalesTeamRequest>) -> Answer<pb::SalesTeam> {
        answer(self.sales_teams.create(request).await)
    }

    async fn get_sales_team(&self, request: Request<pb::GetSalesTeamRequest>) -> Answer<pb::SalesTeam> {
        answer(self.sales_teams.get(request).await)
    }

    async fn batch_get_sales_teams(
        &self,
        request: Request<pb::BatchGetSalesTeamsRequest>,
    ) -> Answer<pb::BatchGetSalesTeamsResponse> {
        answer(self.sales_teams.batch_get(request).await)
    }

    async fn list_sales_teams(
        &self,
        request: Request<pb::ListSalesTeamsRequest>,
    ) -> Answer<pb::ListSalesTeamsResponse> {
        answer(self.sales_teams.list(request).await)
    }

    async fn update_sales_team(&self, request: Request<pb::UpdateSalesTeamRequest>) -> Answer<pb::SalesTeam> {
        answer(self.sales_teams.update(request).await)
    }

    async fn delete_sales_team(&self, request: Request<pb::DeleteSalesTeamRequest>) -> Answer<pb::SalesTeam> {
        answer(self.sales_teams.delete(request).await)
    }

    async fn undelete_sales_team(&self, request: Request<pb::UndeleteSalesTeamRequest>) -> Answer<pb::SalesTeam> {
        answer(self.sales_teams.undelete(request).await)
    }

    async fn export_sales_teams(
        &self,
        request: Request<pb::ExportSalesTeamsRequest>,
    ) -> Answer<Self::ExportSalesTeamsStream> {
        Ok(self.sales_teams.export(request).await?)
    }

    async fn get_sales_team_history(
        &self,
        request: Request<pb::GetSalesTeamHistoryRequest>,
    ) -> Answer<pb::GetSalesTeamHistoryResponse> {
        answer(self.sales_teams.history(request).await)
    }
}
