//! Which tenants have changes.

use crm_proto::journal::{WatchTenantsRequest, WatchTenantsResponse};
use crm_telemetry::tasks::guarded;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::source::Source;
use super::watcher::PATIENCE;
use super::{Feed, HEART_BEAT, LOOK_EVERY, Open, PAUSE, Watch, channel};
use crate::journal::Horizon;
use crate::refusal::{WATCH_ENDED, WATCH_TOO_SLOW};
use crate::{Answer, Call, Error};

impl Feed {
    /// Streams which tenants have changes after a horizon, of all tenants: for services that follow this one.
    ///
    /// # Errors
    /// As a status: the horizon is none, no place is free, or the database's.
    pub async fn watch_tenants(&self, request: Request<WatchTenantsRequest>) -> Answer<Watch<WatchTenantsResponse>> {
        Ok(Response::new(self.open_tenants(request).await?))
    }

    async fn open_tenants(&self, request: Request<WatchTenantsRequest>) -> Result<Watch<WatchTenantsResponse>, Error> {
        let call = Call::of(&request)?;
        let horizon = Horizon::decode(&self.store.schema, "horizon", &request.get_ref().horizon)?;
        let place = self.store.watching.place(call.tenant)?;
        let wakes = self.store.wakes.any();
        let first = self.tenants(&horizon).await?;
        let (outlet, stream) = channel();
        let (feed, mut open) = (self.clone(), Open::new("tenants"));
        let pump = async move {
            let pumping = feed.pump_tenants(first, wakes, &outlet.sender, &open);
            let ended = tokio::select! {
                ended = guarded("watch", pumping) => ended.unwrap_or(Err(Error::Inconsistent("a watch panicked"))),
                () = feed.store.watching.end.cancelled() => Err(Error::from(&WATCH_ENDED)),
            };
            if let (Err(error), Some(last)) = (ended, outlet.last) {
                open.ended(&error);
                last.send(Err(error.into()));
            }
            drop(place);
        };
        tokio::spawn(pump.in_current_span());
        Ok(stream)
    }

    /// Until the reader has gone.
    async fn pump_tenants(
        &self,
        (mut found, mut horizon): (WatchTenantsResponse, Horizon),
        mut wakes: watch::Receiver<u64>,
        sender: &mpsc::Sender<Result<WatchTenantsResponse, Status>>,
        open: &Open,
    ) -> Result<(), Error> {
        let mut told: Option<Instant> = None;
        loop {
            let is_quiet = found.tenants.is_empty();
            if !is_quiet || told.is_none_or(|told| told.elapsed() >= HEART_BEAT) {
                told = Some(Instant::now());
                open.count_message();
                match timeout(PATIENCE, sender.send(Ok(found))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_gone)) => return Ok(()),
                    Err(_elapsed) => return Err(Error::from(&WATCH_TOO_SLOW)),
                }
            }
            sleep(PAUSE).await;
            // Where there were some, there may be more at once.
            if is_quiet {
                tokio::select! {
                    () = sender.closed() => return Ok(()),
                    _ = timeout(LOOK_EVERY, wakes.changed()) => {}
                }
            }
            wakes.mark_unchanged();
            (found, horizon) = self.tenants(&horizon).await?;
        }
    }

    async fn tenants(&self, horizon: &Horizon) -> Result<(WatchTenantsResponse, Horizon), Error> {
        let (tenants, horizon) = self.store.changed(horizon).await?;
        let tenants = tenants.into_iter().map(|tenant| tenant.to_string()).collect();
        Ok((WatchTenantsResponse { tenants, horizon: horizon.encode(&self.store.schema)? }, horizon))
    }
}
