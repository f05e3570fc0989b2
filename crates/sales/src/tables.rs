//! Records as tables, a line a call.

use crm_proto::sales::table_service_server::TableService;
use crm_proto::tables::ExportTableRequest;
use crm_resource::Answer;
use crm_resource::csv::Table;
use tonic::{Request, async_trait};

use crate::Sales;

#[async_trait]
impl TableService for Sales {
    type ExportProductTableStream = Table;

    async fn export_product_table(&self, request: Request<ExportTableRequest>) -> Answer<Table> {
        Ok(self.products.export_table(request).await?)
    }
}
