//! One cell: its processes, its story, and what came of it.

use std::path::Path;
use std::process::Command;

use super::act::{FAIR, Played, Scene};
use super::error::LabError;
use super::fault_scenario::FaultScenario;
use super::group;
use super::load::Callers;
use super::metrics::{Metrics, Second, measure, seconds};
use super::mix::{READS, WRITES};
use super::plan::{Place, Plan};
use super::proxy::Proxy;
use super::sampling::Watch;
use super::tokens::Tokens;
use super::toys::Toys;
use super::variant::Variant;
use super::writes;

/// A played cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What was tried.
    pub variant: Variant,
    /// What was wrong.
    pub fault: FaultScenario,
    /// Which repetition, from 1.
    pub run: u32,
    /// What came of it.
    pub metrics: Metrics,
    /// Its course.
    pub seconds: Vec<Second>,
    /// How long the fault lasted: it began at second 0.
    pub broken_s: f64,
}

/// How to start the processes that are not installed programs: the binary knows.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// A command that ends up as the gateway, configured by the environment.
    pub gateway: fn() -> Command,
    /// A command that ends up in [`crm_sandbox::toy::serve_from_environment`].
    pub toy: fn() -> Command,
}

/// What all cells have in common.
pub(super) struct Stage<'a> {
    pub(super) plan: &'a Plan,
    pub(super) programs: Programs,
    pub(super) tokens: &'a Tokens,
    pub(super) folder: &'a Path,
    pub(super) seed: u64,
}

impl Stage<'_> {
    /// Plays a cell; the number comes back with it.
    pub(super) async fn play(&self, n: usize, place: Place) -> Result<(usize, Cell), LabError> {
        let folder = self.folder.join(n.to_string());
        let Place { variant, fault, run } = place;
        std::fs::create_dir_all(&folder).map_err(|error| LabError::Start(format!("{}: {error}", folder.display())))?;
        let ledger = folder.join("ledger");
        let mut toys = Toys::start(self.programs.toy, fault, &ledger).await?;
        let proxy = Proxy::start(&variant, &toys.addresses(), &folder, self.programs.gateway, self.tokens).await?;
        let callers = self.callers(&proxy, self.plan.rate_under(fault), fault)?;
        let more = Plan::rate_added_by(fault).map(|rate| self.callers(&proxy, rate, fault)).transpose()?;
        proxy.wait_until_calls_succeed(&callers, &folder).await?;

        // The same arrivals for every variant of a run.
        let seed = self.seed.wrapping_add(u64::from(run));
        let load = callers.start(seed)?;
        let watch = Watch::start(load.started(), toys.remotes(), proxy.control());
        let scene = Scene { fault, timing: &self.plan.timing, seed, proxy: &proxy, load: &load, watch: &watch };
        let Played { moments, spared, added, refusals } = scene.play(&mut toys, more).await?;
        let mut records = load.stop().await;
        if let Some(added) = added {
            records.extend(added.stop().await);
        }
        let mut metrics = measure(&records, &watch.samples(), &watch.looks(), moments, spared, FAIR);
        if fault.is_of_the_group() {
            metrics.group = Some(group::measure(&records, &watch.samples(), moments, fault.recovery(), &refusals));
        }
        if fault.is_among_writes() {
            let ledger = std::fs::read_to_string(&ledger).unwrap_or_default();
            metrics.writes = Some(writes::measure(&records, &ledger, moments.calm));
        }
        let seconds = seconds(&records, &watch.samples(), moments);
        let broken_s = (moments.healed - moments.broken).as_secs_f64();
        Ok((n, Cell { variant, fault, run, metrics, seconds, broken_s }))
    }
    fn callers(&self, proxy: &Proxy, rate: u32, fault: FaultScenario) -> Result<Callers, LabError> {
        let mix = if fault.is_among_writes() { &WRITES[..] } else { &READS };
        Callers::new(&proxy.address().to_string(), self.tokens.all(), rate, mix)
    }
}
