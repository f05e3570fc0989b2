//! The load of a cell: open loop, on a few connections, on behalf of many tenants.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::RetrySettings;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::LabError;
use super::mix::{Part, READS};
use crate::load::{Calls, Options, Outcome, Pace, Ready, Scenario, Sender, client, keep};

/// The uncompressed frame of an empty message; the toys answer whatever is asked.
const EMPTY: &[u8] = &[0; 5];
/// Time that each call may take, for which it is worth waiting for a second try.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// Proxies bound the calls at a time on one connection; users come on many.
const CONNECTIONS: usize = 4;

/// What became of one call.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Which part of the mix it was.
    pub(super) part: usize,
    /// When it was due, from the start of the load.
    pub(super) due: Duration,
    /// From then to its end.
    pub(super) latency: Duration,
    /// How much later than due it was started.
    pub(super) lag: Duration,
    /// `None` if it succeeded.
    pub(super) failure: Option<String>,
}

/// The callers: one for each tenant, spread over the connections.
pub(super) struct Callers {
    senders: Vec<Arc<Sender>>,
    scenario: Scenario,
    calls: Calls,
    stop: CancellationToken,
}

impl Callers {
    pub(super) fn new(address: &str, tokens: &[String], rate: u32, mix: &[Part]) -> Result<Self, LabError> {
        let scenario = scenario(rate, mix)?;
        let calls = Calls::new(&scenario.calls, HashMap::new()).map_err(|error| LabError::Load(error.to_string()))?;
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| client([address], RetrySettings::off())).collect();
        let stop = CancellationToken::new();
        let options = tokens.iter().zip(clients.iter().cycle()).map(|(token, client)| Options {
            client: client.clone(),
            token: token.clone(),
            repeat: true,
            seed: 0,
            stop: stop.clone(),
        });
        let senders = options.map(|options| Sender::new(&scenario, &options).map(Arc::new));
        let senders = senders.collect::<Result<_, _>>().map_err(|error| LabError::Load(error.to_string()))?;
        Ok(Self { senders, scenario, calls, stop })
    }

    /// Makes one call on each connection; whether all succeeded.
    pub(super) async fn try_once(&self) -> bool {
        for sender in self.senders.iter().take(CONNECTIONS) {
            if sender.timed(probe(), Instant::now()).await.failure.is_some() {
                return false;
            }
        }
        true
    }

    /// Starts calling, until [`Load::end`] or [`Load::stop`].
    pub(super) fn start(self, seed: u64) -> Result<Load, LabError> {
        self.start_beside(seed, Instant::now())
    }

    /// The same for calls that are told with their time since another load was started.
    pub(super) fn start_beside(self, seed: u64, started: Instant) -> Result<Load, LabError> {
        let pace = Pace::new(&self.scenario, true, StdRng::seed_from_u64(seed));
        let due = keep(pace).map_err(|error| LabError::Load(error.to_string()))?;
        let (sender, records) = mpsc::unbounded_channel();
        let stop = self.stop.clone();
        tokio::spawn(send_all(self, StdRng::seed_from_u64(!seed), due, started, sender));
        Ok(Load { started, stop, records })
    }
}

async fn send_all(
    mut callers: Callers,
    mut rng: StdRng,
    mut due: mpsc::UnboundedReceiver<Instant>,
    started: Instant,
    records: mpsc::UnboundedSender<Record>,
) {
    let senders = std::mem::take(&mut callers.senders);
    let mut next = senders.iter().cycle();
    loop {
        let at = tokio::select! {
            at = due.recv() => at,
            () = callers.stop.cancelled() => None,
        };
        let (Some(at), Some(sender)) = (at, next.next()) else { return };
        // Every part of a mix can be filled in; one that cannot would show as calls that are missing.
        let Ok(call) = callers.calls.next(&mut rng) else { continue };
        let (sender, records) = (Arc::clone(sender), records.clone());
        tokio::spawn(async move {
            let (part, due) = (call.index, at.saturating_duration_since(started));
            let Outcome { latency, lag, failure, .. } = sender.timed(call, at).await;
            let _ = records.send(Record { part, due, latency, lag, failure });
        });
    }
}

/// A load that is going on.
pub(super) struct Load {
    started: Instant,
    stop: CancellationToken,
    records: mpsc::UnboundedReceiver<Record>,
}

impl Load {
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Since when.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Starts no more calls.
    pub(super) fn end(&self) {
        self.stop.cancel();
    }

    /// Starts no more calls, and waits for those under way: their deadlines bound that.
    pub(super) async fn stop(mut self) -> Vec<Record> {
        self.end();
        let mut records = Vec::new();
        while let Some(record) = self.records.recv().await {
            records.push(record);
        }
        records
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}

/// A read that is not counted.
fn probe() -> Ready {
    Ready { index: 0, path: READS[0].path(), body: Bytes::from_static(EMPTY) }
}

fn scenario(rate: u32, mix: &[Part]) -> Result<Scenario, LabError> {
    let timeout = DEADLINE.as_millis();
    let parts: String = mix.iter().map(Part::toml).collect();
    let text = format!("name = 'balancing'\nrate = {rate}\nduration = '1h'\ntimeout = '{timeout}ms'\n{parts}");
    Scenario::parse(&text).map_err(|error| LabError::Load(error.to_string()))
}
