//! The task that looks after one endpoint: connects, asks for its health, lets its time pass, and lets it drain.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::connection::{ConnectError, Connection};
use crate::health::{self, Answer};
use crate::replica::Replica;
use crate::settings::HealthCheck;
use crate::snapshot::Phase;

type Link = Arc<dyn Connection>;

/// A connection that dies younger than this is not replaced at once for ever: otherwise a peer that accepts and closes at once
/// would be connected to in a tight loop.
const INFANCY: Duration = Duration::from_secs(1);
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// Runs until the endpoint is gone or the upstream is dropped.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    replica: Arc<Replica>,
    removed: CancellationToken,
    ended: CancellationToken,
) {
    let keeper = Keeper { shared, replica };
    let life = async {
        tokio::select! {
            () = keeper.stay_connected() => {}
            () = removed.cancelled() => keeper.drain().await,
        }
    };
    tokio::select! {
        () = life => {}
        () = ended.cancelled() => {}
    }
}

struct Keeper {
    shared: Arc<Shared>,
    replica: Arc<Replica>,
}

impl Keeper {
    async fn stay_connected(&self) {
        let (mut failed, mut early) = (0, 0);
        loop {
            match self.connect().await {
                Ok(link) => {
                    let since = Instant::now();
                    self.watch(link).await;
                    self.shared.lost(&self.replica);
                    // The first early death may be a server that restarts, and is met at once.
                    if since.elapsed() >= INFANCY {
                        early = 0;
                    } else {
                        early += 1;
                        self.pause(early - 1).await;
                    }
                    failed = 0;
                }
                Err(error) => {
                    failed += 1;
                    self.shared.refused(&self.replica, error.to_string());
                    self.pause(failed).await;
                }
            }
        }
    }

    async fn connect(&self) -> Result<Link, ConnectError> {
        let longest = self.shared.connection.connect_timeout;
        let connected = timeout(longest, self.shared.connector.connect(&self.replica.address)).await;
        connected.unwrap_or(Err(ConnectError::TimedOut(longest)))
    }

    /// Exponential, half of it random; none for the zeroth time.
    async fn pause(&self, times: u32) {
        let Some(doublings) = times.checked_sub(1) else { return };
        let settings = &self.shared.connection;
        let grown = settings.base_backoff.saturating_mul(2_u32.saturating_pow(doublings.min(16)));
        sleep(grown.min(settings.max_backoff).mul_f64(0.5 + 0.5 * self.shared.dice.unit())).await;
    }

    /// Looks after a connection until it is closed.
    async fn watch(&self, mut link: Link) {
        let mut pulse = Pulse::new(&self.shared.health);
        let mut renewal = self.expiry();
        if !pulse.is_on() {
            self.shared.admit(&self.replica, &link, "connected");
        }
        loop {
            let ages = self.shared.aged(&self.replica);
            tokio::select! {
                () = link.closed() => return,
                () = self.replica.changed.notified() => {}
                () = at(ages) => {}
                () = at(pulse.next) => self.feel(&mut pulse, &link).await,
                () = at(renewal) => {
                    self.renew(&mut link).await;
                    renewal = self.expiry();
                }
            }
        }
    }

    /// Asks for its health once.
    async fn feel(&self, pulse: &mut Pulse, link: &Link) {
        let HealthCheck::Grpc { every, timeout, failures, service } = &self.shared.health else { return };
        let Some(authority) = &self.replica.authority else { return };
        let answer = tokio::select! {
            answer = health::check(&**link, authority, service, *timeout) => answer,
            () = link.closed() => return,
        };
        pulse.next = (answer != Answer::NoHealthService).then(|| Instant::now() + *every);
        pulse.silent = if answer == Answer::Silence { pulse.silent + 1 } else { 0 };
        match answer {
            Answer::Serving | Answer::NoHealthService => self.recover(pulse, link),
            Answer::NotServing => self.sicken(pulse, link, "not serving"),
            Answer::Silence if pulse.silent >= *failures => self.sicken(pulse, link, "no answer to health checks"),
            Answer::Silence => {}
        }
    }

    fn recover(&self, pulse: &mut Pulse, link: &Link) {
        match pulse.well.replace(true) {
            Some(true) => {}
            Some(false) => self.shared.admit(&self.replica, link, "serving again"),
            None => self.shared.admit(&self.replica, link, "connected"),
        }
    }

    fn sicken(&self, pulse: &mut Pulse, link: &Link, reason: &'static str) {
        if pulse.well.replace(false) != Some(false) {
            self.shared.sickened(&self.replica, link, reason);
        }
    }

    /// When a connection that is made now is to be replaced.
    fn expiry(&self) -> Option<Instant> {
        self.shared.connection.max_age.map(|age| Instant::now() + age)
    }

    /// Connects anew before the old connection is let go; calls under way finish on the old one. Where that fails, the old
    /// one stays until it is as old again.
    async fn renew(&self, link: &mut Link) {
        if let Ok(younger) = self.connect().await {
            self.shared.renewed(&self.replica, &younger);
            *link = younger;
        }
    }

    /// Waits until nothing is under way and somebody else can serve, within a bound.
    async fn drain(&self) {
        let latest = Instant::now() + self.shared.connection.drain_timeout;
        let is_needed = || self.shared.with_roster(|roster| roster.count(Phase::Ready) == 0 && roster.known() > 0);
        while Instant::now() < latest && (self.replica.load.in_flight() > 0 || is_needed()) {
            sleep(DRAIN_LOOK).await;
        }
        self.shared.gone(&self.replica);
    }
}

/// Sleeps until then; for ever if there is no such moment.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// What the health checks of one connection found so far.
struct Pulse {
    next: Option<Instant>,
    silent: u32,
    /// None until the first check that said something: until then the endpoint has not been admitted.
    well: Option<bool>,
}

impl Pulse {
    fn new(health: &HealthCheck) -> Self {
        let is_on = matches!(health, HealthCheck::Grpc { .. });
        Self { next: is_on.then(Instant::now), silent: 0, well: None }
    }

    fn is_on(&self) -> bool {
        self.next.is_some()
    }
}
