//! Which tenants have changes.

use crm_proto::journal::{WatchTenantsRequest, WatchTenantsResponse};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status};
use tracing::Instrument;

use super::{Feed, HEART_BEAT, LOOK_EVERY, Watch};
use crate::journal::Horizon;
use crate::{Answer, Error, answer};

impl Feed {
    /// Streams which tenants have changes after a horizon, of all tenants: for services that follow this one.
    ///
    /// # Errors
    /// As a status: the horizon is none, or the database's.
    pub async fn watch_tenants(&self, request: Request<WatchTenantsRequest>) -> Answer<Watch<WatchTenantsResponse>> {
        answer(self.open_tenants(request).await)
    }

    async fn open_tenants(&self, request: Request<WatchTenantsRequest>) -> Result<Watch<WatchTenantsResponse>, Error> {
        let horizon = Horizon::decode(self.service.name, "horizon", &request.get_ref().horizon)?;
        let first = self.tenants(&horizon).await?;
        let (sender, receiver) = mpsc::channel(1);
        let feed = self.clone();
        let pump = async move {
            if let Err(error) = feed.pump_tenants(first, &sender).await {
                // Nobody may be left to hear it.
                let _ = sender.send(Err(error.into())).await;
            }
        };
        tokio::spawn(pump.in_current_span());
        Ok(ReceiverStream::new(receiver))
    }

    async fn pump_tenants(
        &self,
        (mut found, mut horizon): (WatchTenantsResponse, Horizon),
        sender: &mpsc::Sender<Result<WatchTenantsResponse, Status>>,
    ) -> Result<(), Error> {
        let mut told: Option<Instant> = None;
        loop {
            let is_quiet = found.tenants.is_empty();
            if !is_quiet || told.is_none_or(|told| told.elapsed() >= HEART_BEAT) {
                told = Some(Instant::now());
                if sender.send(Ok(found)).await.is_err() {
                    return Ok(());
                }
            }
            // Where there were some, there may be more at once.
            if is_quiet && timeout(LOOK_EVERY, sender.closed()).await.is_ok() {
                return Ok(());
            }
            (found, horizon) = self.tenants(&horizon).await?;
        }
    }

    async fn tenants(&self, horizon: &Horizon) -> Result<(WatchTenantsResponse, Horizon), Error> {
        let (tenants, horizon) = self.store.changed_tenants(horizon).await?;
        let tenants = tenants.into_iter().map(|tenant| tenant.to_string()).collect();
        Ok((WatchTenantsResponse { tenants, horizon: horizon.encode(self.service.name)? }, horizon))
    }
}
