//! Changes as they are made.

use crm_proto::journal::{WatchChangesRequest, WatchChangesResponse};
use crm_telemetry::tasks::guarded;
use tokio::time::Instant;
use tonic::{Request, Response};
use tracing::Instrument;

use super::source::Source;
use super::watcher::{Stop, Watcher};
use super::{Feed, Open, Watch, channel};
use crate::{Answer, Call, Error, Violations};

impl Feed {
    /// Streams what comes after a cursor, for handlers. What is there already is read before the stream begins, so that a
    /// failure is the call's own status.
    ///
    /// # Errors
    /// As a status: all violations, that no place is free or the cursor has expired, or the database's.
    pub async fn watch(&self, request: Request<WatchChangesRequest>) -> Answer<Watch<WatchChangesResponse>> {
        Ok(Response::new(self.open(request).await?))
    }

    async fn open(&self, request: Request<WatchChangesRequest>) -> Result<Watch<WatchChangesResponse>, Error> {
        let call = Call::of(&request)?;
        let WatchChangesRequest { resources, cursor } = request.into_inner();
        let mut found = Violations::default();
        let (wanted, start) = self.asked(&call, &resources, &cursor, &mut found);
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
        let open = Open::new(wanted.label());
        let tenant = call.tenant;
        let watcher = Watcher { hub, watching, tenant, wanted, sender, cursor, text, beat_at, open };
        let watch = async move {
            // Without a word its reader would take it for whole.
            let stop = guarded("watch", watcher.run(first)).await;
            let stop = stop.unwrap_or(Stop::Failed(Error::Inconsistent("a watch panicked")));
            if let (Stop::Failed(error), Some(last)) = (stop, outlet.last) {
                last.send(Err(error.into()));
            }
            drop(place);
        };
        tokio::spawn(watch.in_current_span());
        Ok(stream)
    }
}
