//! `crm lab balancing`: policies against faults, with a table, verdicts, and a page to look at.

use std::process::Command;
use std::time::Duration;

use crm_balance::Policy;
use crm_lab::balancing::{self, FaultScenario, LabError, Outcome, Peer, Plan, Programs, Timing, Variant};
use crm_lab::report::print_verdicts;

use super::{write, write_json};
use crate::cli::Balancing;
use crate::failure::Failure;
use crate::program;

/// What a first look compares: the field's habit, the simplest that knows of load, and our own.
const QUICK_POLICIES: [Policy; 3] = [Policy::RoundRobin, Policy::LeastRequest, Policy::PeakEwma];
const LANES: u8 = 2;
const QUICK_LANES: u8 = 3;

pub(crate) async fn run(options: Balancing) -> Result<(), Failure> {
    let plan = plan(&options)?;
    let cells = plan.variants.len() * plan.faults.len() * plan.runs as usize;
    eprintln!("balancing: {cells} cells, {} at a time, {} calls a second each", plan.lanes, plan.rate);
    println!("{}", balancing::heading());
    let programs = Programs { gateway: || role("gateway"), toy: || role("toy") };
    let stop = crm_server::process::shutdown_signal();
    let outcome = tokio::select! {
        outcome = balancing::run(&plan, programs, crm_lab::seed::fresh(), |cell| println!("{}", balancing::row(cell))) => outcome.map_err(failure)?,
        // Every process of the lab ends with this future.
        () = stop.cancelled() => return Err(Failure::Check("stopped before the end".to_owned())),
    };
    print!("\n{}", print_verdicts(&outcome.report.verdicts));
    write_files(&options, &plan, &outcome)?;
    if outcome.report.held() { Ok(()) } else { Err(Failure::Check("a claim does not hold".to_owned())) }
}

fn plan(options: &Balancing) -> Result<Plan, Failure> {
    let timing = if options.quick { Timing::QUICK } else { Timing::WHOLE };
    let length = options.seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let timing = length.map_or(timing, |length| timing.with_faults_of(length));
    let faults = match (options.faults.as_slice(), options.alone) {
        (_, true) => FaultScenario::ALONE.to_vec(),
        ([], false) => FaultScenario::COMPARED.to_vec(),
        (named, false) => named.to_vec(),
    };
    let compares = faults.iter().any(|fault| fault.compares());
    let mut variants: Vec<Variant> = policies(options, compares).into_iter().map(Variant::Ours).collect();
    variants.extend(options.without.iter().copied().map(Variant::Without));
    if compares || !options.peers.is_empty() || options.envoy.is_some() {
        variants.extend(peers(options)?);
    }
    let lanes = options.lanes.unwrap_or(if options.quick { QUICK_LANES } else { LANES });
    Ok(Plan { variants, faults, runs: options.runs, timing, rate: options.rate, lanes: usize::from(lanes) })
}

/// The policies asked for, or those that are worth comparing under such faults.
fn policies(options: &Balancing, compares: bool) -> Vec<Policy> {
    match options.policies.as_slice() {
        [] if !compares => vec![Policy::PeakEwma],
        [] if options.quick => QUICK_POLICIES.to_vec(),
        [] => Policy::ALL.to_vec(),
        named => named.to_vec(),
    }
}

/// The peers asked for, or those that are installed.
fn peers(options: &Balancing) -> Result<Vec<Variant>, Failure> {
    if options.no_peers {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for peer in Peer::ALL {
        let named = options.envoy.as_deref().filter(|_| peer == Peer::Envoy);
        let wanted = options.peers.contains(&peer) || named.is_some();
        if !options.peers.is_empty() && !wanted {
            continue;
        }
        match peer.find(named) {
            Some(program) => found.push(Variant::Peer(peer, program)),
            None if wanted => {
                return Err(Failure::Missing(format!("{} is not installed: {}", peer.name(), peer.install())));
            }
            None => eprintln!("without {}, which is not installed: {}", peer.name(), peer.install()),
        }
    }
    Ok(found)
}

/// This program in one of its roles.
fn role(role: &str) -> Command {
    let mut command = program::this();
    command.args(["serve", role]);
    command
}

fn failure(error: LabError) -> Failure {
    match error {
        LabError::Sandbox(error @ crm_sandbox::Error::Missing { .. }) => Failure::Missing(error.to_string()),
        error => Failure::Other(error.into()),
    }
}

fn write_files(options: &Balancing, plan: &Plan, outcome: &Outcome) -> Result<(), Failure> {
    write_json(options.json.as_deref(), &outcome.report)?;
    if let Some(path) = &options.html {
        write(path, outcome.html(plan).map_err(anyhow::Error::from)?.into_bytes())?;
        eprintln!("{}", path.display());
    }
    Ok(())
}
