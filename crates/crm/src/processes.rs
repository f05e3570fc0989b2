//! `crm kill`, `crm pause`, `crm restart`: the supervisor does it, to one process or to several, at once or rolling.

mod rolling;

use crate::cli::Processes;
use crate::failure::Failure;
use crate::places::Places;
use crate::up::{self, Hold, Order, ProcessStatus, Request, Status};

/// Length of a pause that was given none.
const PAUSE_MS: u64 = 3_000;
/// What `all` does not mean: what calls do not pass through, or the data.
const BESIDE: [&str; 5] = ["console", "load", "postgres", "redis", "trace-viewer"];

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Kill,
    Pause,
    Restart,
}

pub(crate) async fn run(places: &Places, deed: Deed, options: &Processes) -> Result<(), Failure> {
    let status = up::status(places).await?;
    let order = order(deed, options);
    for name in targets(&status, &options.target)? {
        let before = if options.rolling { Some(rolling::look(places, &name).await?) } else { None };
        println!("{}", up::ask(places, &Request { process: name.clone(), order }).await?);
        if let Some(before) = before {
            rolling::wait(places, &before, deed == Deed::Pause).await?;
            println!("{name} is ready");
        }
    }
    Ok(())
}

fn order(deed: Deed, options: &Processes) -> Order {
    let given = options.hold.map(|hold| u64::try_from(hold.as_millis()).unwrap_or(u64::MAX));
    let hold = |unless_given| {
        if options.until_healed { Hold::UntilHealed } else { Hold::Milliseconds(given.unwrap_or(unless_given)) }
    };
    match deed {
        _ if options.heal => Order::Heal,
        Deed::Kill => Order::Kill(hold(0)),
        Deed::Pause => Order::Pause(hold(PAUSE_MS)),
        Deed::Restart => Order::Restart(hold(0)),
    }
}

/// Names of the processes that are meant.
fn targets(status: &Status, target: &str) -> Result<Vec<String>, Failure> {
    let is_meant = |process: &ProcessStatus| match target {
        "all" => !BESIDE.contains(&process.role.as_str()),
        target => process.name == target || process.role == target,
    };
    let names = |processes: Vec<&ProcessStatus>| -> Vec<String> {
        processes.into_iter().map(|process| process.name.clone()).collect()
    };
    let meant = names(status.processes.iter().filter(|process| is_meant(process)).collect());
    if meant.is_empty() {
        let known = names(status.processes.iter().collect()).join(", ");
        return Err(Failure::Usage(format!("no process {target}; there are {known}")));
    }
    Ok(meant)
}
