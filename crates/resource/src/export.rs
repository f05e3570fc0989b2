//! Exports: one snapshot, read a batch at a time, no faster than the client takes it.
//!
//! A cursor keeps one plan and one sort for the whole export, and nothing but the batch in this process. (A plain
//! streamed query would leave the rest of its rows to be read and thrown away when the client goes.)

use std::sync::Arc;
use std::time::Duration;

use crm_database::{Access, TenantTransaction};
use crm_proto::standard::{self, Resource as _};
use crm_shares::Share;
use crm_telemetry::tasks::guarded;
use sqlx::{Postgres, QueryBuilder};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::Instrument;
use uuid::Uuid;

use crate::attributes::Known;
use crate::kind::Kind;
use crate::record::Record;
use crate::refusal::EXPORT_STALLED;
use crate::select::{self, Selection};
use crate::steps::has_attributes;
use crate::{Call, Error, Records, Resource, page};

/// What a client reads.
pub type Export<M> = ReceiverStream<Result<M, Status>>;

/// In the answer's metadata.
const CURSOR: &str = "x-crm-cursor";
const LONGEST_CURSOR: usize = 4 * 1024;

const DECLARE: &str = "declare export no scroll cursor for ";
/// 500 rows are some 100 kB, read in about a millisecond.
const FETCH: &str = "fetch forward 500 from export";

/// Messages that wait for the client, on top of one batch of rows.
const WAITING: usize = 64;
/// An open snapshot keeps Postgres from clearing away old rows: whoever does not read for this long loses it.
const PATIENCE: Duration = Duration::from_secs(30);

impl<R: Resource> Records<R> {
    /// Streams all records that match, in the order of their ids. The first batch is read before the stream begins, so
    /// that a failure is the call's own status. With the stream comes the cursor of its moment: who watches from there on
    /// misses nothing.
    ///
    /// # Errors
    /// The filter is not understood, no place is free, or the database's.
    pub async fn export<Q>(&self, request: Request<Q>) -> Result<Response<Export<R::Message>>, Error>
    where
        Q: standard::Export<Resource = R::Message>,
    {
        let call = Call::of(&request)?;
        let (filter, show_deleted) = request.into_inner().parts();
        self.export_matching(call, &filter, show_deleted).await
    }

    pub(crate) async fn export_matching(
        &self,
        call: Call,
        filter: &str,
        show_deleted: bool,
    ) -> Result<Response<Export<R::Message>>, Error> {
        let known = match has_attributes::<R>() {
            true => self.store.attributes(&call, R::KIND).await?,
            false => Arc::new(Known::none()),
        };
        let selection = page::export_selection(R::KIND, filter, show_deleted, &known)?;
        let mut selection = Selection { reader: call.caller.subject.clone(), ..selection };
        let place = self.store.export_place(&call)?;
        let mut transaction = self.store.begin(&call, Access::Snapshot).await?;
        let cursor = self.store.cursor(&mut transaction, call.tenant).await?;
        let cursor = cursor.encode(&self.store.schema, call.tenant)?;
        self.narrow(&mut transaction, call.tenant, &mut selection).await?;
        self.store.widen(&mut transaction, R::KIND, call.tenant, &mut selection).await?;
        let mut query = open(R::KIND, &self.statements.select, call.tenant, &selection);
        transaction.execute("open_export", query.build().persistent(false)).await?;
        let first = next::<R>(&mut transaction, &known).await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let pump = async move {
            let pumped = guarded("export", pump::<R>(&sender, transaction, (known, first), place)).await;
            // Without a word the client would take what it has for all that there is.
            if let Err(error) = pumped.unwrap_or(Err(Error::Inconsistent("an export panicked"))) {
                // Nobody may be left to hear it.
                let _ = timeout(PATIENCE, sender.send(Err(error.into()))).await;
            }
        };
        tokio::spawn(pump.in_current_span());
        Ok(with_cursor(Response::new(ReceiverStream::new(receiver)), &cursor))
    }
}

fn with_cursor<T>(mut answer: Response<T>, cursor: &str) -> Response<T> {
    // A server in which thousands of transactions are open has none that a header has room for.
    if let Some(value) = (cursor.len() <= LONGEST_CURSOR).then(|| cursor.parse().ok()).flatten() {
        answer.metadata_mut().insert(CURSOR, value);
    }
    answer
}

/// The statement that opens the cursor.
pub(crate) fn open(kind: &Kind, from: &str, tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
    let mut query = select::select(kind, format!("{DECLARE}{from}"), tenant, selection);
    query.push(" order by id");
    query
}

/// The next rows of the open cursor; none at the end.
async fn next<R: Resource>(transaction: &mut TenantTransaction, known: &Known) -> Result<Vec<R::Message>, Error> {
    // Not kept as a prepared statement: the columns of its answer are those of whichever cursor is open.
    let rows = transaction.fetch_all("fetch_export", sqlx::query(FETCH).persistent(false)).await?;
    let message = |row: Record<R::Fields>| {
        let mut message = Records::<R>::message(row)?;
        if let Some(values) = message.attributes_mut() {
            known.veil(values);
        }
        Ok(message)
    };
    rows.into_iter().map(message).collect()
}

/// Sends all batches. Returns early, which drops the transaction and so ends the cursor, as soon as the client is gone.
async fn pump<R: Resource>(
    sender: &mpsc::Sender<Result<R::Message, Status>>,
    mut transaction: TenantTransaction,
    (known, mut batch): (Arc<Known>, Vec<R::Message>),
    _place: Share,
) -> Result<(), Error> {
    while !batch.is_empty() {
        for message in batch {
            match timeout(PATIENCE, sender.send(Ok(message))).await {
                Ok(Ok(())) => {}
                Ok(Err(_gone)) => return Ok(()),
                Err(_elapsed) => return Err(Error::from(&EXPORT_STALLED)),
            }
        }
        batch = next::<R>(&mut transaction, &known).await?;
    }
    Ok(())
}
