//! `crm lab watch`: how late watchers are told, and in how much memory, with verdicts.

use std::time::Duration;

use crm_lab::report::{Run, print_verdicts};
use crm_lab::watch;

use super::{failure, programs, until_stopped, write_json};
use crate::cli::Watch;
use crate::failure::Failure;

pub(crate) async fn run(options: Watch) -> Result<(), Failure> {
    let writing = Duration::from_secs(if options.quick { 5 } else { 30 });
    let seen = |run: &Run<watch::Metrics>| {
        println!("{}: {}", run.fault, serde_json::to_string(&run.metrics).unwrap_or_default());
    };
    let report = until_stopped(watch::run(writing, programs()?, seen)).await?.map_err(failure)?;
    print!("\n{}", print_verdicts(&report.verdicts));
    write_json(options.json.as_deref(), &report)?;
    if report.held() { Ok(()) } else { Err(Failure::Check("a claim does not hold".to_owned())) }
}
