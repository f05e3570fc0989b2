//! Faults of replicas: set and ended over each replica's own port, and known for whoever asks what is broken.
//!
//! A fault lives in its replica, so several gateways see and set the same one; what is kept here is only what was
//! heard last, so that a page that asks every second costs a replica little.

mod wire;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crm_proto::server as pb;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use crate::reasons;

/// How long an answer of a replica is believed.
const FRESH: Duration = Duration::from_millis(500);
/// How long one who wants to see all replicas waits for one of them.
const LOOK: Duration = Duration::from_millis(150);
/// How long a change may take.
const CHANGE: Duration = Duration::from_secs(2);

/// Sets and knows the faults of all replicas.
#[derive(Debug)]
pub(crate) struct Faults {
    allowed: bool,
    /// By address.
    heard: Mutex<HashMap<String, Heard>>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    fault: Option<pb::Fault>,
    at: Instant,
}

impl Heard {
    fn now(fault: Option<pb::Fault>) -> Self {
        Self { fault, at: Instant::now() }
    }

    /// What is left of it by now.
    fn fault(&self, now: Instant) -> Option<pb::Fault> {
        let mut fault = self.fault?;
        if let Some(remaining) = &mut fault.remaining_ms {
            let gone = u64::try_from((now - self.at).as_millis()).unwrap_or(u64::MAX);
            *remaining = remaining.checked_sub(gone).filter(|left| *left > 0)?;
        }
        Some(fault)
    }
}

impl Faults {
    /// Nothing can be broken unless it is `allowed`, and then replicas are not even asked.
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed, heard: Mutex::default() }
    }

    pub(crate) fn allowed(&self) -> bool {
        self.allowed
    }

    /// What is known of the replica at this address.
    pub(crate) fn known(&self, address: &str) -> Option<pb::Fault> {
        self.heard().get(address)?.fault(Instant::now())
    }

    /// Asks those replicas that have not been asked for a while.
    pub(crate) async fn look(&self, addresses: impl IntoIterator<Item = &str>) {
        if self.allowed {
            let stale = addresses.into_iter().filter(|address| self.is_stale(address));
            join_all(stale.map(|address| self.ask(address))).await;
        }
    }

    /// Sets a fault at one replica.
    pub(crate) async fn set(&self, address: &str, fault: pb::Fault) -> Result<(), Status> {
        let set = timeout(CHANGE, wire::set(address, fault)).await;
        let fault = set.map_err(|_| reasons::replica_silent())?.map_err(|status| translate(&status))?;
        self.remember(address, fault);
        Ok(())
    }

    /// Ends the fault of one replica. One that does not run has none.
    pub(crate) async fn clear(&self, address: &str) -> Result<(), Status> {
        match timeout(CHANGE, wire::clear(address)).await {
            Err(_) => return Err(reasons::replica_silent()),
            Ok(Err(status)) if status.code() != Code::Unavailable => return Err(translate(&status)),
            Ok(_) => self.remember(address, None),
        }
        Ok(())
    }

    async fn ask(&self, address: &str) {
        match timeout(LOOK, wire::get(address)).await {
            Ok(answer) => self.remember(address, answer.ok().flatten()),
            // Stopped, or busy: what it was told last still holds.
            Err(_) => self.remember(address, self.known(address)),
        }
    }

    fn is_stale(&self, address: &str) -> bool {
        self.heard().get(address).is_none_or(|heard| heard.at.elapsed() >= FRESH)
    }

    fn remember(&self, address: &str, fault: Option<pb::Fault>) {
        const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
        let mut heard = self.heard();
        // Replicas that are gone: with names that move, addresses would gather.
        heard.retain(|_, heard| heard.at.elapsed() < FORGOTTEN_AFTER);
        heard.insert(address.to_owned(), Heard::now(fault));
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<String, Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a replica's refusal means for who asked the control API.
fn translate(status: &Status) -> Status {
    match status.code() {
        Code::Unimplemented => reasons::faults_not_offered(),
        Code::Unavailable | Code::DeadlineExceeded => reasons::replica_silent(),
        _ => status.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_that_is_known_runs_out_by_itself() {
        let heard = Heard::now(Some(pb::Fault { hang: true, remaining_ms: Some(1_000), ..Default::default() }));
        let left = |later| heard.fault(heard.at + Duration::from_millis(later)).map(|fault| fault.remaining_ms);
        assert_eq!([left(0), left(400), left(1_000)], [Some(Some(1_000)), Some(Some(600)), None]);
        let endless = Heard::now(Some(pb::Fault { hang: true, ..Default::default() }));
        assert!(endless.fault(endless.at + Duration::from_secs(86_400)).is_some());
    }

    #[tokio::test]
    async fn a_replica_that_does_not_run_has_no_fault_and_cannot_be_given_one() {
        let faults = Faults::new(true);
        let nobody = "127.0.0.1:1";
        faults.look([nobody]).await;
        assert_eq!(faults.known(nobody), None);
        faults.clear(nobody).await.expect("healed");
        let status = faults.set(nobody, pb::Fault { hang: true, ..Default::default() }).await.expect_err("not there");
        assert_eq!(status.code(), Code::Unavailable);
    }
}
