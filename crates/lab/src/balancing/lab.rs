//! The whole experiment: every cell of the plan, then what follows from them.

use crm_sandbox::TemporaryFolder;
use futures_util::{StreamExt, stream};

use super::error::LabError;
use super::judge::judge;
use super::metrics::Metrics;
use super::plan::Plan;
use super::story::{Cell, Programs, Stage};
use super::tokens::Tokens;
use crate::report::{LabReport, Machine, Run, commit};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// For programs.
    pub report: LabReport<Metrics>,
    /// With their course over time, for charts.
    pub cells: Vec<Cell>,
}

/// Plays the whole plan; `seen` is told of each cell as it ends.
///
/// # Errors
/// If a process does not start or the load cannot be made. What a fault does to calls is no error but a result.
pub async fn run(plan: &Plan, programs: Programs, seed: u64, mut seen: impl FnMut(&Cell)) -> Result<Outcome, LabError> {
    let machine = Machine::this();
    let folder = TemporaryFolder::new("crm-lab")?;
    let tokens = Tokens::make(folder.path())?;
    let stage = Stage { plan, programs, tokens: &tokens, folder: folder.path(), seed };
    let mut playing =
        stream::iter(plan.places().into_iter().enumerate().map(|(n, place)| Box::pin(stage.play(n, place))))
            .buffer_unordered(plan.lanes.max(1));
    let mut cells: Vec<(usize, Cell)> = Vec::new();
    while let Some(played) = playing.next().await {
        let (n, cell) = played?;
        seen(&cell);
        cells.push((n, cell));
    }
    drop(playing);
    cells.sort_by_key(|(n, _)| *n);
    let cells: Vec<Cell> = cells.into_iter().map(|(_, cell)| cell).collect();
    Ok(Outcome { report: report(plan, machine, &cells), cells })
}

fn report(plan: &Plan, machine: Machine, cells: &[Cell]) -> LabReport<Metrics> {
    let run = |cell: &Cell| Run {
        variant: cell.variant.name().to_owned(),
        fault: cell.fault.name().to_owned(),
        run: cell.run,
        metrics: cell.metrics.clone(),
    };
    LabReport {
        lab: "balancing",
        machine,
        commit: commit(),
        runs: cells.iter().map(run).collect(),
        verdicts: judge(cells, plan),
    }
}
