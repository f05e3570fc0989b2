//! The load of a cell: open loop, on a few connections, on behalf of many tenants.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::{ClientSettings, Discovery, EjectionSettings, HealthCheck, Policy, RetrySettings, Switch, Upstream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::LabError;
use crate::load::{Options, Pace, Ready, Scenario, Sender, keep};

/// A read: safe to send twice, as its definition says, and our gateway knows.
const METHOD: &str = "/crm.customers.v1.AccountService/GetAccount";
/// The uncompressed frame of an empty message; the toys answer whatever is asked.
const EMPTY: &[u8] = &[0; 5];
/// Time that each call may take, for which it is worth waiting for a second try.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// Proxies bound the calls at a time on one connection; users come on many.
const CONNECTIONS: usize = 4;

/// What became of one call.
#[derive(Debug, Clone)]
pub(super) struct Record {
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
    stop: CancellationToken,
}

impl Callers {
    pub(super) fn new(address: &str, tokens: &[String], rate: u32) -> Result<Self, LabError> {
        let scenario = scenario(rate)?;
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| client(address)).collect();
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
        Ok(Self { senders, scenario, stop })
    }

    /// Makes one call on each connection; whether all succeeded.
    pub(super) async fn try_once(&self) -> bool {
        for sender in self.senders.iter().take(CONNECTIONS) {
            if sender.timed(call(), Instant::now()).await.failure.is_some() {
                return false;
            }
        }
        true
    }

    /// Starts calling, until [`Load::stop`].
    pub(super) fn start(self, seed: u64) -> Result<Load, LabError> {
        let pace = Pace::new(&self.scenario, true, StdRng::seed_from_u64(seed));
        let due = keep(pace).map_err(|error| LabError::Load(error.to_string()))?;
        let (sender, records) = mpsc::unbounded_channel();
        let (started, stop) = (Instant::now(), self.stop.clone());
        tokio::spawn(send_all(self, due, started, sender));
        Ok(Load { started, stop, records })
    }
}

async fn send_all(
    callers: Callers,
    mut due: mpsc::UnboundedReceiver<Instant>,
    started: Instant,
    records: mpsc::UnboundedSender<Record>,
) {
    let mut next = callers.senders.iter().cycle();
    loop {
        let at = tokio::select! {
            at = due.recv() => at,
            () = callers.stop.cancelled() => None,
        };
        let (Some(at), Some(sender)) = (at, next.next()) else { return };
        let (sender, records) = (Arc::clone(sender), records.clone());
        tokio::spawn(async move {
            let outcome = sender.timed(call(), at).await;
            let due = at.saturating_duration_since(started);
            let _ = records.send(Record { due, latency: outcome.latency, lag: outcome.lag, failure: outcome.failure });
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

    /// Starts no more calls, and waits for those under way: their deadlines bound that.
    pub(super) async fn stop(mut self) -> Vec<Record> {
        self.stop.cancel();
        let mut records = Vec::new();
        while let Some(record) = self.records.recv().await {
            records.push(record);
        }
        records
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn call() -> Ready {
    Ready { index: 0, path: METHOD.to_owned(), body: Bytes::from_static(EMPTY) }
}

fn scenario(rate: u32) -> Result<Scenario, LabError> {
    let text = format!(
        "name = 'balancing'\nrate = {rate}\nduration = '1h'\ntimeout = '{}ms'\n[[calls]]\nname = 'get account'\nrpc = '{}'",
        DEADLINE.as_millis(),
        METHOD.trim_start_matches('/')
    );
    Scenario::parse(&text).map_err(|error| LabError::Load(error.to_string()))
}

/// One connection that tries nothing twice, sheds nothing and judges nobody: what is measured is behind it.
fn client(address: &str) -> crm_balance::Client {
    let never = EjectionSettings { enabled: Switch::off(), ..EjectionSettings::default() };
    let upstream = Upstream::builder("lab", Discovery::of([address]))
        .policy(Policy::RoundRobin)
        .health(HealthCheck::Off)
        .ejection(never)
        .build();
    let mut settings = ClientSettings { retry: RetrySettings::off(), ..ClientSettings::default() };
    settings.shed.enabled = Switch::off();
    crm_balance::client(upstream, settings)
}
