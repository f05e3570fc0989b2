//! Changes as they are made.

use crm_proto::journal::{WatchChangesRequest, WatchChangesResponse};
use crm_server::stack::OwnPlace;
use tokio::time::Instant;
use tonic::{Request, Response};
use tracing::Instrument;

use super::source::Source;
use super::watcher::{Stop, Watcher};
use super::{Feed, Watch, channel};
use crate::{Answer, Call, Error, Violations};

impl Feed {
    /// Streams what comes after a cursor, for handlers. What is there already is read before the stream begins, so that a
    /// failure is the call's own status.
    ///
    /// # Errors
    /// As a status: all violations, that no place is free or the cursor has expired, or the database's.
    pub async fn watch(&self, request: Request<WatchChangesRequest>) -> Answer<Watch<WatchChangesResponse>> {
        Ok(waiting(self.open(request).await?))
    }

    async fn open(&self, request: Request<WatchChangesRequest>) -> Result<Watch<WatchChangesResponse>, Error> {
        let call = Call::of(&request)?;
        let WatchChangesRequest { resources, cursor } = request.into_inner();
        let mut found = Violations::default();
        let (wanted, start) = self.asked(call.tenant, &resources, &cursor, &mut found);
        found.finish(())?;
        let watching = self.store.watching.clone();
        let place = watching.place(call.tenant)?;
        let first = {
            let _turn = watching.turn(call.tenant).await;
            let begin = self.begin(&call, start).await?;
            self.store.read(call.tenant, &begin).await?
        };
        let (outlet, stream) = channel();
        let (cursor, text) = (first.cursor.clone(), String::new());
        let (hub, sender, beat_at) = (self.hub.clone(), outlet.sender, Instant::now());
        let watcher = Watcher { hub, watching, tenant: call.tenant, wanted, sender, cursor, text, beat_at };
        let watch = async move {
            let stop = watcher.run(first).await;
            if let (Stop::Failed(error), Some(last)) = (stop, outlet.last) {
                last.send(Err(error.into()));
            }
            drop(place);
        };
        tokio::spawn(watch.in_current_span());
        Ok(stream)
    }
}

/// An answer that waits more than it works: it has a place among watches, and needs none among calls.
pub(super) fn waiting<M>(stream: Watch<M>) -> Response<Watch<M>> {
    let mut response = Response::new(stream);
    response.extensions_mut().insert(OwnPlace);
    response
}
