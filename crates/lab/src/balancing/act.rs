//! A cell's story: calm, broken, healing.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::LabError;
use super::fault_scenario::FaultScenario;
use super::group::{KILL_SETTLED, Refusals};
use super::load::{Callers, Load};
use super::metrics::{AFTERMATH, fair_share};
use super::moments::Moments;
use super::plan::Timing;
use super::proxy::Proxy;
use super::sampling::{Watch, fair_again};
use super::toys::Toys;

/// What a replica gets is fair again from this part of what it got before on.
pub(super) const FAIR: f64 = 0.8;

/// What stands and goes on while the story is played.
pub(super) struct Scene<'a> {
    pub(super) fault: FaultScenario,
    pub(super) timing: &'a Timing,
    pub(super) seed: u64,
    pub(super) proxy: &'a Proxy,
    pub(super) load: &'a Load,
    pub(super) watch: &'a Watch,
}

/// What is known when it has been played.
pub(super) struct Played {
    pub(super) moments: Moments,
    /// Calls that came to the faulty replica while it was being told to break, which takes a moment: they met no fault.
    pub(super) spared: u64,
    /// The calls that the fault added.
    pub(super) added: Option<Load>,
    pub(super) refusals: Refusals,
}

impl Scene<'_> {
    /// `more` are the callers whom the fault adds.
    pub(super) async fn play(&self, toys: &mut Toys, more: Option<Callers>) -> Result<Played, LabError> {
        sleep(self.timing.warm_up).await;
        self.watch.count().await;
        let calm = self.load.elapsed();
        sleep(self.timing.calm).await;

        self.watch.count().await;
        let broken = self.load.elapsed();
        let arrived = toys.break_down(self.fault).await?;
        let spared = arrived.map_or(0, |arrived| self.watch.arrived_later(broken, arrived));
        // Other arrivals than those of the first load.
        let added = more.map(|more| more.start_beside(!self.seed, self.load.started())).transpose()?;
        let refusals = self.broken(Instant::now() + self.timing.broken_by(self.fault)).await;

        self.watch.count().await;
        let healed_from = self.load.elapsed();
        toys.heal(self.fault).await?;
        added.iter().for_each(Load::end);
        // A process that was killed is well when it listens, which takes a moment.
        let healed = if self.fault.kills() { self.load.elapsed() } else { healed_from };
        let moments = Moments { calm, broken, healed };
        self.healing(moments).await;
        Ok(Played { moments, spared, added, refusals })
    }

    async fn broken(&self, until: Instant) -> Refusals {
        if self.fault != FaultScenario::AllDown {
            tokio::time::sleep_until(until).await;
            return None;
        }
        sleep(KILL_SETTLED).await;
        let settled = self.proxy.durations().await;
        tokio::time::sleep_until(until).await;
        settled.zip(self.proxy.durations().await)
    }

    async fn healing(&self, moments: Moments) {
        if self.fault.is_of_the_group() {
            sleep(self.fault.recovery() + self.timing.after).await;
        } else if self.fault.is_among_writes() {
            sleep(self.timing.after_writes).await;
        } else {
            wait_until_fair(self.watch, moments, self.timing.healing).await;
        }
    }
}

/// Until the replica gets its fair share again, or it has taken too long.
async fn wait_until_fair(watch: &Watch, moments: Moments, longest: Duration) {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    let fair = fair_share(&watch.samples(), moments) * FAIR;
    // The second that has to be fair is part of the wait.
    let until = Instant::now() + longest + Duration::from_secs(1);
    sleep(AFTERMATH).await;
    while Instant::now() < until && fair_again(&watch.samples(), moments.healed, fair).is_none() {
        sleep(LOOK_EVERY).await;
    }
}
