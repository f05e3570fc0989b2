//! The whole experiment: part after part, then what follows from them.

use crm_sandbox::TemporaryFolder;

use super::batches::{self, Reader};
use super::plan::Plan;
use super::{fill, histories, sweep};
use crate::report::{LabReport, Machine};
use crate::scratch::{LabError, Metrics, Part, Programs, Stage, report};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// For programs.
    pub report: LabReport<Metrics>,
    /// For people.
    pub parts: Vec<Part>,
}

/// Plays all parts; `seen` is told of each as it ends.
///
/// # Errors
/// If a server or process does not start, or the database refuses what the lab itself asks of it.
pub async fn run(
    plan: &Plan,
    programs: Programs,
    reader: &dyn Reader,
    seed: u64,
    mut seen: impl FnMut(&Part),
) -> Result<Outcome, LabError> {
    let machine = Machine::this();
    let folder = TemporaryFolder::new("crm-lab")?;
    let stage = Stage::start(programs, folder.path()).await?;
    let (filled, journal) = fill::fill(&stage, plan).await?;
    let mut parts = Vec::new();
    let mut add = |part: Part| {
        seen(&part);
        parts.push(part);
    };
    add(journal);
    add(batches::measure(&stage, plan, &filled, reader).await?);
    let replica = stage.replica().await?;
    add(histories::measure(&stage, plan, &replica, seed).await?);
    drop(replica);
    // Last: cursors of those who have not read on are told that they are too old.
    add(sweep::measure(&stage).await?);
    Ok(Outcome { report: report("journal", machine, &parts), parts })
}
