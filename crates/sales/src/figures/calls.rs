use crm_proto::sales as pb;
use crm_proto::sales::figure_service_server::FigureService;
use crm_resource::{Answer, answer};
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl FigureService for Sales {
    async fn get_figures(&self, request: Request<pb::GetFiguresRequest>) -> Answer<pb::Figures> {
        answer(super::figures(self, request).await)
    }
}
