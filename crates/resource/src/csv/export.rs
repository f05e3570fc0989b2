//! Exports as tables.

use crm_proto::google::api::HttpBody;
use crm_proto::tables::ExportTableRequest;
use futures_util::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status};

use super::defined::Beside;
use super::{Tabular, write};
use crate::{Call, Error, Records};

/// What a client reads.
pub type Table = BoxStream<'static, Result<HttpBody, Status>>;

const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Rows of a message, if so many are there: none is waited for.
const AT_ONCE: usize = 64;

impl<R: Tabular> Records<R> {
    /// Streams all records that match as rows of a table, in the order of their ids, with the tags and attributes that the
    /// tenant has.
    ///
    /// # Errors
    /// As of [`Records::export`].
    pub async fn export_table(&self, request: Request<ExportTableRequest>) -> Result<Response<Table>, Error> {
        let call = Call::of(&request)?;
        let ExportTableRequest { filter, show_deleted, byte_order_mark } = request.into_inner();
        let export = self.export_matching(call.clone(), &filter, show_deleted).await?;
        // Behind the moment of the export: whatever tag a record has is there by now.
        let beside = self.beside(&call).await?;
        let (metadata, records, extensions) = export.into_parts();
        let head = write::head(R::COLUMNS, &beside.names());
        let head = if byte_order_mark { BYTE_ORDER_MARK } else { "" }.to_owned() + &head;
        let rows = records.ready_chunks(AT_ONCE).flat_map(move |records| stream::iter(bodies::<R>(records, &beside)));
        let table = stream::once(async { Ok(body(head)) }).chain(rows).boxed();
        Ok(Response::from_parts(metadata, table, extensions))
    }
}

/// What is there, and how it ended if it did.
fn bodies<R: Tabular>(records: Vec<Result<R::Message, Status>>, beside: &Beside) -> Vec<Result<HttpBody, Status>> {
    let (mut text, mut all) = (String::new(), Vec::new());
    for record in records {
        match record {
            Ok(mut record) => {
                let beside = beside.cells::<R>(&mut record);
                write::row(&mut text, R::COLUMNS, &mut record, beside);
            }
            Err(status) => {
                all.push(Ok(body(std::mem::take(&mut text))));
                all.push(Err(status));
            }
        }
    }
    if !text.is_empty() {
        all.push(Ok(body(text)));
    }
    all
}

fn body(text: String) -> HttpBody {
    HttpBody { content_type: CONTENT_TYPE.to_owned(), data: text.into(), extensions: Vec::new() }
}
