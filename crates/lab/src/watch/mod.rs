//! `crm lab watch`: two hundred watchers of one tenant, a hundred changes a second, and what that costs.

mod measure;
mod platform;

use std::time::Duration;

use anyhow::Context;
use crm_lab::report::{LabReport, Machine, Run, Verdict, commit, print_verdicts};
use crm_sandbox::TemporaryFolder;
use serde::Serialize;

use super::write_json;
use crate::cli::Watch;
use crate::failure::Failure;
use measure::{Figures, measure};
use platform::Platform;

const WATCHERS: usize = 200;
const CHANGES_A_SECOND: u32 = 100;
/// Readers that stop reading, in the second run.
const STOPPED: usize = 10;
const LATEST_MS: f64 = 250.0;
const MOST_KB: f64 = 30.0;

/// What a run measured.
#[derive(Debug, Clone, Serialize)]
struct Metrics {
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

pub(crate) async fn run(options: Watch) -> Result<(), Failure> {
    let stop = crm_server::process::shutdown_signal();
    tokio::select! {
        done = experiment(&options) => done,
        // Every process of the lab ends with this future.
        () = stop.cancelled() => Err(Failure::Check("stopped before the end".to_owned())),
    }
}

async fn experiment(options: &Watch) -> Result<(), Failure> {
    let machine = Machine::this();
    let folder = TemporaryFolder::new("crm-lab").context("cannot make a folder")?;
    let seconds = if options.quick { 5 } else { 30 };
    let writing = Duration::from_secs(seconds);
    let mut runs = Vec::new();
    for (fault, stopped) in [("none", 0), ("readers_stopped", STOPPED)] {
        // A process of its own each time: what one has once used it keeps.
        let platform = Platform::start(&folder.path().join(fault)).await?;
        let figures = measure(&platform, (WATCHERS, stopped), CHANGES_A_SECOND, writing).await?;
        let metrics = metrics(figures);
        println!("{fault}: {}", serde_json::to_string(&metrics).map_err(anyhow::Error::from)?);
        runs.push(Run { variant: format!("{WATCHERS} watchers"), fault: fault.to_owned(), run: 1, metrics });
    }
    let verdicts = verdicts(&runs);
    print!("\n{}", print_verdicts(&verdicts));
    let report = LabReport { lab: "watch", machine, commit: commit(), runs, verdicts };
    write_json(options.json.as_deref(), &report)?;
    if report.held() { Ok(()) } else { Err(Failure::Check("a claim does not hold".to_owned())) }
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
