//! `crm lab`: experiments, each of which ends in a verdict and its exit code.

mod balancing;
mod journal;
mod tours;
mod watch;

use std::path::Path;

use anyhow::Context;
use crm_lab::report::LabReport;
use serde::Serialize;

pub(crate) use self::balancing::run as balancing;
pub(crate) use self::journal::run as journal;
pub(crate) use self::tours::run as tours;
pub(crate) use self::watch::run as watch;

/// The report, into the file that was asked for.
fn write_json<M: Serialize>(path: Option<&Path>, report: &LabReport<M>) -> anyhow::Result<()> {
    path.map_or(Ok(()), |path| write(path, serde_json::to_vec_pretty(report)?))
}

fn write(path: &Path, bytes: Vec<u8>) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
