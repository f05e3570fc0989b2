//! Changes as they are made.

use crm_proto::journal::{WatchChangesRequest, WatchChangesResponse};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status};
use tracing::Instrument;

use super::asked::Wanted;
use super::{Feed, HEART_BEAT, LOOK_EVERY, Watch};
use crate::journal::{Batch, Cursor, Entry};
use crate::{Answer, Call, Error, Violations, answer};

/// Changes that are read at a time.
const AT_ONCE: u32 = 100;

impl Feed {
    /// Streams what comes after a cursor, for handlers.
    ///
    /// # Errors
    /// As a status: all violations, that the cursor has expired, or the database's.
    pub async fn watch(&self, request: Request<WatchChangesRequest>) -> Answer<Watch<WatchChangesResponse>> {
        answer(self.open(request).await)
    }

    async fn open(&self, request: Request<WatchChangesRequest>) -> Result<Watch<WatchChangesResponse>, Error> {
        let call = Call::of(&request)?;
        let WatchChangesRequest { resources, cursor } = request.into_inner();
        let mut found = Violations::default();
        let (wanted, start) = self.asked(call.tenant, &resources, &cursor, &mut found);
        found.finish(())?;
        let begin = self.begin(&call, start).await?;
        let first = self.store.changes(&call, &begin, AT_ONCE).await?;
        let (sender, receiver) = mpsc::channel(1);
        let (feed, sending) = (self.clone(), sender.clone());
        let pump = async move {
            let ended = feed.pump(&call, &wanted, first, &sending).await;
            if let Err(error) = ended {
                // Nobody may be left to hear it.
                let _ = sender.send(Err(error.into())).await;
            }
        };
        tokio::spawn(pump.in_current_span());
        Ok(ReceiverStream::new(receiver))
    }

    async fn pump(
        &self,
        call: &Call,
        wanted: &Wanted,
        mut batch: Batch,
        sender: &mpsc::Sender<Result<WatchChangesResponse, Status>>,
    ) -> Result<(), Error> {
        let mut last = Instant::now();
        let mut is_first = true;
        loop {
            let Batch { entries, cursor, is_last } = batch;
            let changes = entries.into_iter().filter(|entry| wanted.holds(entry)).map(Entry::message);
            let changes: Vec<_> = changes.collect::<Result<_, _>>()?;
            if is_first || !changes.is_empty() || last.elapsed() >= HEART_BEAT {
                (is_first, last) = (false, Instant::now());
                let cursor = self.text(call, &cursor)?;
                if sender.send(Ok(WatchChangesResponse { changes, cursor })).await.is_err() {
                    return Ok(());
                }
            }
            if is_last && timeout_at(Instant::now() + LOOK_EVERY, sender.closed()).await.is_ok() {
                return Ok(());
            }
            batch = self.store.changes(call, &cursor, AT_ONCE).await?;
        }
    }

    pub(super) fn text(&self, call: &Call, cursor: &Cursor) -> Result<String, Error> {
        cursor.encode(self.service.name, call.tenant)
    }
}
