//! Exports: one snapshot, read a batch at a time, no faster than the client takes it.

use std::time::Duration;

use crm_shares::{Refused, Share};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

use crate::call::Call;
use crate::customers::Customers;
use crate::error::Error;
use crate::store::export::{Exported, next, open};
use crate::store::listing::Selection;

/// What a client reads.
pub(super) type ExportStream<M> = ReceiverStream<Result<M, Status>>;

/// Messages that wait for the client, on top of one batch of rows.
const WAITING: usize = 64;
/// An open snapshot keeps Postgres from clearing away old rows: whoever does not read for this long loses it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts an export. Its first batch is read before the stream begins, so that a failure is the call's own status.
pub(super) async fn export<T, M>(
    customers: &Customers,
    call: Call,
    selection: Selection,
    message: fn(&T) -> M,
) -> Result<ExportStream<M>, Error>
where
    T: Exported,
    M: Send + 'static,
{
    let place = customers.exports.take(Some(call.tenant.as_u128()), 1).map_err(|refused| match refused {
        Refused::Full => Error::ExportsBusy,
        Refused::Share => Error::ExportRuns,
    })?;
    let mut transaction = customers.store.begin_snapshot(call).await?;
    open::<T>(&mut transaction, call.tenant, &selection).await?;
    let first = next::<T>(&mut transaction).await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let pump = async move {
        if let Err(error) = pump(&sender, transaction, first, message, place).await {
            // Nobody may be left to hear it.
            let _ = timeout(PATIENCE, sender.send(Err(error.into()))).await;
        }
    };
    tokio::spawn(pump.in_current_span());
    Ok(ReceiverStream::new(receiver))
}

/// Sends all batches. Returns early, which drops the transaction and so ends the cursor, as soon as the client is gone.
async fn pump<T, M>(
    sender: &mpsc::Sender<Result<M, Status>>,
    mut transaction: crm_database::TenantTransaction,
    mut batch: Vec<T>,
    message: fn(&T) -> M,
    _place: Share,
) -> Result<(), Error>
where
    T: Exported,
{
    while !batch.is_empty() {
        for row in &batch {
            match timeout(PATIENCE, sender.send(Ok(message(row)))).await {
                Ok(Ok(())) => {}
                Ok(Err(_gone)) => return Ok(()),
                Err(_elapsed) => return Err(Error::ExportStalled),
            }
        }
        batch = next::<T>(&mut transaction).await?;
    }
    Ok(())
}
