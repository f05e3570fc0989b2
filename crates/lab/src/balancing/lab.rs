//! The whole experiment: every cell of the plan, then what follows from them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crm_sandbox::TemporaryFolder;
use crm_server::token::{Role, Signer, TokenRequest};
use futures_util::{StreamExt, stream};

use super::judge::judge;
use super::metrics::Metrics;
use super::plan::Plan;
use super::story::{Cell, Stage};
use crate::report::{LabReport, Machine, Run, commit};

/// How to start the processes that are not installed programs: the binary knows.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// A command that ends up as the gateway, configured by the environment.
    pub gateway: fn() -> Command,
    /// A command that ends up in [`crm_sandbox::toy::serve_from_environment`].
    pub toy: fn() -> Command,
}

/// Why the experiment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A toy or a folder could not be had.
    #[error(transparent)]
    Sandbox(#[from] crm_sandbox::Error),
    /// A toy did not do as it was told.
    #[error("a toy upstream does not listen to orders: {0}")]
    Toy(io::Error),
    /// A proxy did not start.
    #[error("{0}")]
    Start(String),
    /// The gateway's control API did not answer as it should.
    #[error("the gateway's control API: {0}")]
    Control(String),
    /// The load could not be made.
    #[error("the load: {0}")]
    Load(String),
}

impl LabError {
    pub(super) fn toy(error: io::Error) -> Self {
        Self::Toy(error)
    }
}

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
    let keys = Keys::make(folder.path())?;
    let stage = Stage { plan, programs, keys: &keys, folder: folder.path(), seed };
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

/// Tenants that call, each with a token of its own: a gateway that sends a tenant to one replica has something to choose.
const TENANTS: usize = 200;
const TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 3600);

/// The callers' tokens, and where the gateway finds the key to check them.
pub(super) struct Keys {
    file: PathBuf,
    tokens: Vec<String>,
}

impl Keys {
    fn make(folder: &Path) -> Result<Self, LabError> {
        let failed = |error: &dyn std::fmt::Display| LabError::Start(format!("cannot make tokens: {error}"));
        let (private, public) = Signer::generate_pem().map_err(|error| failed(&error))?;
        let signer = Signer::from_pem(&private).map_err(|error| failed(&error))?;
        let file = folder.join("token-public.pem");
        std::fs::write(&file, public).map_err(|error| failed(&error))?;
        let token = |n: usize| {
            let (tenant, subject) = (format!("tenant-{n}"), "lab".to_owned());
            signer.sign(&TokenRequest { tenant, subject, role: Role::Agent, ttl: TOKEN_LIFETIME })
        };
        let tokens = (0..TENANTS).map(token).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        Ok(Self { file, tokens })
    }

    pub(super) fn public_key(&self) -> &Path {
        &self.file
    }

    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }
}
