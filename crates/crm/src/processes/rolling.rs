//! One process after the other: each is back, and known to be, before the next one goes.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::failure::Failure;
use crate::places::Places;
use crate::up::{self, Health, ProcessStatus};

/// For one process to be ready again.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Who calls a gateway from outside cannot be asked whether it has found it again: its next try may be a second away.
const CALLERS_COME_BACK: Duration = Duration::from_millis(1_500);

/// The process as it is now.
pub(super) async fn look(places: &Places, name: &str) -> Result<ProcessStatus, Failure> {
    let processes = up::status(places).await?.processes;
    let found = processes.into_iter().find(|process| process.name == name);
    found.ok_or_else(|| Failure::Check(format!("{name} is gone")))
}

/// Until it is ready again, in a new life unless it is `the_same` that goes on, and every gateway knows.
pub(super) async fn wait(places: &Places, before: &ProcessStatus, the_same: bool) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    while !is_back(places, before, the_same).await? {
        if Instant::now() > end {
            let (name, patience) = (&before.name, PATIENCE.as_secs());
            return Err(Failure::Check(format!("{name} is not ready after {patience} s; the others were left alone")));
        }
        sleep(LOOK_EVERY).await;
    }
    if before.role == "gateway" {
        sleep(CALLERS_COME_BACK).await;
    }
    Ok(())
}

async fn is_back(places: &Places, before: &ProcessStatus, the_same: bool) -> Result<bool, Failure> {
    let status = up::status(places).await?;
    let now = status.processes.iter().find(|process| process.name == before.name);
    let lives = |now: &ProcessStatus| the_same || (now.pid.is_some() && now.pid != before.pid);
    if !now.is_some_and(|now| now.health == Health::Ready && lives(now)) {
        return Ok(false);
    }
    for control in &status.controls {
        if !up::is_connected(*control).await {
            return Ok(false);
        }
    }
    Ok(true)
}
