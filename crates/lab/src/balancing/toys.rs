//! The upstreams: four toys, each a process, and what happens to one or all of them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crm_sandbox::child::ChildSignal;
use crm_sandbox::toy::{self, ToyProcess, ToyRemote, ToySettings};
use futures_util::future::try_join_all;

use super::error::LabError;
use super::fault_scenario::FaultScenario;

/// How many there are.
pub(super) const REPLICAS: usize = 4;
/// The one that breaks.
pub(super) const FAULTY: usize = 2;

const SERVICE_TIME_MS: u32 = 2;
/// Among writes: so slow that a replica which breaks has a call under way as a rule, and not so slow that three cannot do
/// the work of four.
const WRITING_TIME_MS: u32 = 5;
const SLOTS: u32 = 4;

/// Under overload: so slow that three times what they can serve is a load which generator and proxy carry with ease, for
/// what is measured are the upstreams' slots.
const OVERLOADED_SERVICE_TIME_MS: u32 = 40;
/// What they can serve a second then: all slots busy without a pause between two calls.
pub(super) const CAPACITY: u32 = REPLICAS as u32 * SLOTS * 1_000 / OVERLOADED_SERVICE_TIME_MS;

pub(super) struct Toys {
    toys: Vec<ToyProcess>,
}

impl Toys {
    /// Starts them, as the story of this fault needs them; among writes they keep a ledger.
    pub(super) async fn start(make: fn() -> Command, fault: FaultScenario, ledger: &Path) -> Result<Self, LabError> {
        let service_time = Duration::from_millis(service_time_ms(fault).into());
        let ledger = fault.is_among_writes().then(|| ledger.to_owned());
        let settings = ToySettings { service_time, slots: SLOTS as usize, answer: Vec::new(), health: true, ledger };
        let mut toys = Vec::with_capacity(REPLICAS);
        for _ in 0..REPLICAS {
            toys.push(ToyProcess::start(make, settings.clone()).await?);
        }
        Ok(Self { toys })
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.toys.iter().map(ToyProcess::address).collect()
    }

    pub(super) fn remotes(&self) -> Vec<ToyRemote> {
        self.toys.iter().map(ToyProcess::remote).collect()
    }

    /// From now on they are broken that the fault hits. One that is told so says how many calls had arrived by then.
    pub(super) async fn break_down(&mut self, fault: FaultScenario) -> Result<Option<u64>, LabError> {
        let hit = self.hit(fault);
        if let Some(told) = fault.told() {
            let arrived = tell(hit, told).await?;
            return Ok(arrived.first().copied().filter(|_| !fault.is_of_the_group()));
        }
        if fault.kills() {
            for toy in hit {
                let _ = toy.process().kill();
            }
        } else if fault.pauses() {
            signal(hit, ChildSignal::SIGSTOP);
        }
        Ok(None)
    }

    /// From now on all are well again; those that were killed are ready when this returns.
    pub(super) async fn heal(&mut self, fault: FaultScenario) -> Result<(), LabError> {
        let hit = self.hit(fault);
        if fault.told().is_some() {
            return tell(hit, toy::FailureMode::default()).await.map(drop);
        }
        if fault.kills() {
            try_join_all(hit.iter_mut().map(ToyProcess::restart)).await?;
        } else if fault.pauses() {
            signal(hit, ChildSignal::SIGCONT);
        }
        Ok(())
    }

    fn hit(&mut self, fault: FaultScenario) -> &mut [ToyProcess] {
        if fault.is_of_the_group() { &mut self.toys } else { &mut self.toys[FAULTY..=FAULTY] }
    }
}

/// How long a call takes them.
pub(super) const fn service_time_ms(fault: FaultScenario) -> u32 {
    match fault {
        FaultScenario::Overload => OVERLOADED_SERVICE_TIME_MS,
        fault if fault.is_among_writes() => WRITING_TIME_MS,
        _ => SERVICE_TIME_MS,
    }
}

fn signal(toys: &[ToyProcess], signal: ChildSignal) {
    for toy in toys {
        // One that is gone feels nothing.
        let _ = toy.process().signal(signal);
    }
}

/// Answers how many calls each had got by then.
async fn tell(toys: &[ToyProcess], fault: toy::FailureMode) -> Result<Vec<u64>, LabError> {
    let told = toys.iter().map(async |toy| Ok(toy.set_fault(fault).await?.values().sum()));
    try_join_all(told).await.map_err(LabError::Toy)
}
