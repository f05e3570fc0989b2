//! One cell: calm, broken, healing.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fault::Fault;
use super::lab::{Keys, LabError, Programs};
use super::load::{Callers, Load};
use super::metrics::{Metrics, Second, measure, seconds};
use super::plan::{Place, Plan};
use super::proxy::Proxy;
use super::sampling::{Watch, fair_again, share};
use super::toys::Toys;
use super::variant::Variant;

/// What a replica gets is fair again from this part of what it got before on.
const FAIR: f64 = 0.8;

/// A played cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What was tried.
    pub variant: Variant,
    /// What was wrong.
    pub fault: Fault,
    /// Which repetition, from 1.
    pub run: u32,
    /// What came of it.
    pub metrics: Metrics,
    /// Its course.
    pub seconds: Vec<Second>,
    /// How long the fault lasted: it began at second 0.
    pub broken_s: f64,
}

/// The moments of a story, from the start of the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// Counting begins.
    pub(super) calm: Duration,
    /// The replica breaks.
    pub(super) broken: Duration,
    /// It is well again.
    pub(super) healed: Duration,
}

/// What all cells have in common.
pub(super) struct Stage<'a> {
    pub(super) plan: &'a Plan,
    pub(super) programs: Programs,
    pub(super) keys: &'a Keys,
    pub(super) folder: &'a Path,
    pub(super) seed: u64,
}

impl Stage<'_> {
    /// Plays a cell; the number comes back with it.
    pub(super) async fn play(&self, n: usize, place: Place) -> Result<(usize, Cell), LabError> {
        let folder = self.folder.join(n.to_string());
        let mut toys = Toys::start(self.programs.toy).await?;
        let Place { variant, fault, run } = place;
        let proxy = Proxy::start(&variant, &toys.addresses(), &folder, self.programs.gateway, self.keys).await?;
        let callers = Callers::new(&proxy.address().to_string(), self.keys.tokens(), self.plan.rate)?;
        proxy.wait_until_calls_succeed(&callers, &folder).await?;

        // The same arrivals for every variant of a run.
        let load = callers.start(self.seed.wrapping_add(u64::from(run)))?;
        let watch = Watch::start(load.started(), toys.remotes(), proxy.control());
        let moments = self.act(fault, &load, &watch, &mut toys).await?;
        let records = load.stop().await;
        let metrics = measure(&records, &watch.samples(), &watch.looks(), moments, FAIR);
        let seconds = seconds(&records, &watch.samples(), moments);
        let broken_s = (moments.healed - moments.broken).as_secs_f64();
        Ok((n, Cell { variant, fault, run, metrics, seconds, broken_s }))
    }

    async fn act(&self, fault: Fault, load: &Load, watch: &Watch, toys: &mut Toys) -> Result<Moments, LabError> {
        let timing = &self.plan.timing;
        sleep(timing.warm_up).await;
        watch.count().await;
        let calm = load.elapsed();
        sleep(timing.calm).await;

        watch.count().await;
        let broken = load.elapsed();
        toys.break_one(fault).await?;
        sleep(timing.broken_by(fault)).await;

        watch.count().await;
        let healed_from = load.elapsed();
        toys.heal(fault).await?;
        // A process that was killed is well when it listens, which takes a moment.
        let healed = if fault == Fault::KilledAndBack { load.elapsed() } else { healed_from };
        let moments = Moments { calm, broken, healed };
        wait_until_fair(watch, moments, timing.healing).await;
        Ok(moments)
    }
}

/// Until the replica gets its fair share again, or it has taken too long.
async fn wait_until_fair(watch: &Watch, moments: Moments, longest: Duration) {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    let fair = share(&watch.samples(), moments.calm, moments.broken).unwrap_or(0.0) * FAIR;
    // The second that has to be fair is part of the wait.
    let until = Instant::now() + longest + Duration::from_secs(1);
    while Instant::now() < until && fair_again(&watch.samples(), moments.healed, fair).is_none() {
        sleep(LOOK_EVERY).await;
    }
}
