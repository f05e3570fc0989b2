//! Two hundred watchers of one tenant, a hundred changes a second, and what that costs.

mod caller;
mod measure;

use std::time::Duration;

use crm_sandbox::TemporaryFolder;
use serde::Serialize;

use crate::report::{LabReport, Machine, Run, Verdict, commit};
use crate::scratch::{LabError, Programs, Stage};
use measure::{Figures, measure};

const WATCHERS: usize = 200;
const CHANGES_A_SECOND: u32 = 100;
/// Readers that stop reading, in the second run.
const STOPPED: usize = 10;
const LATEST_MS: f64 = 250.0;
const MOST_KB: f64 = 30.0;

/// What a run measured.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    watchers: usize,
    changes: usize,
    /// From the moment at which a write was asked for, which is before its commit.
    latency_ms: Latency,
    missing: usize,
    twice: usize,
    kb_per_watcher: f64,
}

#[derive(Debug, Clone, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

/// Plays both runs; `seen` is told of each as it ends.
///
/// # Errors
/// If a server or process does not start, or a call fails that the lab itself needs.
pub async fn run(
    writing: Duration,
    programs: Programs,
    mut seen: impl FnMut(&Run<Metrics>),
) -> Result<LabReport<Metrics>, LabError> {
    let machine = Machine::this();
    let folder = TemporaryFolder::new("crm-lab")?;
    let mut runs = Vec::new();
    for (fault, stopped) in [("none", 0), ("readers_stopped", STOPPED)] {
        // A platform of its own each time: what a process has once used it keeps.
        let folder = folder.path().join(fault);
        std::fs::create_dir_all(&folder).map_err(|error| LabError::Start(error.to_string()))?;
        let stage = Stage::start(programs, &folder).await?;
        let replica = stage.replica().await?;
        let figures = measure((&stage, &replica), (WATCHERS, stopped), CHANGES_A_SECOND, writing).await?;
        let run =
            Run { variant: format!("{WATCHERS} watchers"), fault: fault.to_owned(), run: 1, metrics: metrics(figures) };
        seen(&run);
        runs.push(run);
    }
    let verdicts = verdicts(&runs);
    Ok(LabReport { lab: "watch", machine, commit: commit(), runs, verdicts })
}

fn metrics(mut figures: Figures) -> Metrics {
    figures.latencies.sort_unstable();
    let ms = |part: f64| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = (figures.latencies.len().saturating_sub(1) as f64 * part) as usize;
        figures.latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    };
    Metrics {
        watchers: figures.watchers,
        changes: figures.changes,
        latency_ms: Latency { p50: ms(0.5), p99: ms(0.99), max: ms(1.0) },
        missing: figures.missing,
        twice: figures.twice,
        kb_per_watcher: figures.kb_per_watcher,
    }
}

fn verdicts(runs: &[Run<Metrics>]) -> Vec<Verdict> {
    let worst = |claim: &str, limit: f64, figure: fn(&Metrics) -> f64| {
        let figures = runs.iter().map(|run| Some(figure(&run.metrics)).filter(|figure| figure.is_finite()));
        Verdict::worst(claim, limit, figures)
    };
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let lost = |metrics: &Metrics| (metrics.missing + metrics.twice) as f64;
    vec![
        worst("changes that a watcher was not given, or twice", 0.0, lost),
        worst("a change is given after it was asked for, at the latest, ms", LATEST_MS, |metrics| {
            metrics.latency_ms.max
        }),
        worst("memory of the service for each watcher, kB", MOST_KB, |metrics| metrics.kb_per_watcher),
    ]
}
