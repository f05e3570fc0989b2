//! The upstreams: four toys, each a process, and what happens to one of them.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crm_sandbox::child::ChildSignal;
use crm_sandbox::toy::{self, ToyProcess, ToyRemote, ToySettings};

use super::fault::Fault;
use super::lab::LabError;

/// How many there are.
pub(super) const REPLICAS: usize = 4;
/// The one that breaks.
pub(super) const FAULTY: usize = 2;

const SERVICE_TIME: Duration = Duration::from_millis(2);
const SLOTS: usize = 4;

pub(super) struct Toys {
    toys: Vec<ToyProcess>,
}

impl Toys {
    pub(super) async fn start(make: fn() -> Command) -> Result<Self, LabError> {
        let settings = ToySettings { service_time: SERVICE_TIME, slots: SLOTS, answer: Vec::new(), health: true };
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

    /// From now on one of them is broken.
    pub(super) async fn break_one(&mut self, fault: Fault) -> Result<(), LabError> {
        let Some(faulty) = self.toys.get_mut(FAULTY) else { return Ok(()) };
        match (fault.told(), fault) {
            (Some(told), _) => faulty.set_fault(told).await.map_err(LabError::toy)?,
            (None, Fault::Paused) => drop(faulty.process().signal(ChildSignal::SIGSTOP)),
            (None, Fault::KilledAndBack) => drop(faulty.process().kill()),
            (None, _) => {}
        }
        Ok(())
    }

    /// From now on all are well again; a killed one is ready when this returns.
    pub(super) async fn heal(&mut self, fault: Fault) -> Result<(), LabError> {
        let Some(faulty) = self.toys.get_mut(FAULTY) else { return Ok(()) };
        match (fault.told(), fault) {
            (Some(_), _) => faulty.set_fault(toy::Fault::default()).await.map_err(LabError::toy)?,
            (None, Fault::Paused) => drop(faulty.process().signal(ChildSignal::SIGCONT)),
            (None, Fault::KilledAndBack) => faulty.restart().await?,
            (None, _) => {}
        }
        Ok(())
    }
}
