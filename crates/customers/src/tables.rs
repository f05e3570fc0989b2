//! Records as tables, a line a call.

use crm_proto::customers::table_service_server::TableService;
use crm_proto::tables::ExportTableRequest;
use crm_resource::Answer;
use crm_resource::csv::Table;
use tonic::{Request, async_trait};

use crate::Customers;

#[async_trait]
impl TableService for Customers {
    type ExportAccountTableStream = Table;
    type ExportContactTableStream = Table;

    async fn export_account_table(&self, request: Request<ExportTableRequest>) -> Answer<Table> {
        Ok(self.accounts.export_table(request).await?)
    }

    async fn export_contact_table(&self, request: Request<ExportTableRequest>) -> Answer<Table> {
        Ok(self.contacts.export_table(request).await?)
    }
}
