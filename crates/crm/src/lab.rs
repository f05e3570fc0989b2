//! `crm lab`: experiments, each of which ends in a verdict and its exit code.

mod balancing;
mod customers;
mod journal;
mod tours;
mod watch;

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use crm_lab::report::LabReport;
use crm_lab::scratch::{LabError, Programs};
use serde::Serialize;

use crate::failure::Failure;
use crate::program;

pub(crate) use self::balancing::run as balancing;
pub(crate) use self::customers::run as customers;
pub(crate) use self::journal::run as journal;
pub(crate) use self::tours::run as tours;
pub(crate) use self::watch::run as watch;

/// The service that scratch platforms have replicas of.
const SERVICE: &crm_resource::Service = &crm_customers::SERVICE;

/// How a scratch platform starts its processes: all are this program.
fn programs() -> anyhow::Result<Programs> {
    let storage = SERVICE.storage().context("the service keeps no records")?;
    Ok(Programs {
        migrate: || this(&["migrate"]),
        customers: || this(&["serve", SERVICE.name]),
        seed: |contacts, tenant| {
            let contacts = contacts.to_string();
            this(&["seed", "large", "--service", SERVICE.name, "--contacts", &contacts, "--tenant", tenant])
        },
        role: storage.role,
        url_setting: storage.url_setting,
    })
}

/// This program with other words.
fn this(words: &[&str]) -> Command {
    let mut command = program::this();
    command.args(words);
    command
}

/// What an experiment comes to, unless it is told to stop. Every process of the lab ends with it.
async fn until_stopped<T>(experiment: impl Future<Output = T>) -> Result<T, Failure> {
    let stop = crm_server::process::shutdown_signal();
    tokio::select! {
        outcome = experiment => Ok(outcome),
        () = stop.cancelled() => Err(Failure::Check("stopped before the end".to_owned())),
    }
}

fn failure(error: LabError) -> Failure {
    match error {
        LabError::Sandbox(error @ crm_sandbox::Error::Missing { .. }) => Failure::Missing(error.to_string()),
        error => Failure::Other(error.into()),
    }
}

/// The report, into the file that was asked for.
fn write_json<M: Serialize>(path: Option<&Path>, report: &LabReport<M>) -> anyhow::Result<()> {
    path.map_or(Ok(()), |path| write(path, serde_json::to_vec_pretty(report)?))
}

fn write(path: &Path, bytes: Vec<u8>) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
