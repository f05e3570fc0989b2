//! The whole experiment: part after part, then what follows from them.

use serde::Serialize;

use crm_sandbox::TemporaryFolder;

use super::batches::{self, Reader};
use super::error::LabError;
use super::part::{Figure, Part};
use super::plan::Plan;
use super::stage::{Programs, Stage};
use super::{fill, histories, sweep};
use crate::report::{LabReport, Machine, Run, commit};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// For programs.
    pub report: LabReport<Metrics>,
    /// For people.
    pub parts: Vec<Part>,
}

/// What a part measured.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    /// Each figure.
    pub figures: Vec<Figure>,
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
    let stage = Stage::start(plan, programs, folder.path(), seed).await?;
    let (filled, journal) = fill::fill(&stage).await?;
    let mut parts = Vec::new();
    let mut add = |part: Part| {
        seen(&part);
        parts.push(part);
    };
    add(journal);
    add(batches::measure(&stage, &filled, reader).await?);
    let replica = stage.replica().await?;
    add(histories::measure(&stage, &replica).await?);
    drop(replica);
    // Last: cursors of those who have not read on are told that they are too old.
    add(sweep::measure(&stage).await?);
    Ok(Outcome { report: report(machine, &parts), parts })
}

fn report(machine: Machine, parts: &[Part]) -> LabReport<Metrics> {
    let run = |part: &Part| Run {
        variant: part.name.to_owned(),
        fault: "none".to_owned(),
        run: 1,
        metrics: Metrics { figures: part.figures.clone() },
    };
    LabReport {
        lab: "journal",
        machine,
        commit: commit(),
        runs: parts.iter().map(run).collect(),
        verdicts: parts.iter().flat_map(|part| part.verdicts.clone()).collect(),
    }
}
