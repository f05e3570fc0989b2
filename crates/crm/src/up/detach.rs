//! `crm up --detach`: the supervisor in the background, the caller waiting only until it is ready.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::time::sleep;

use super::notice::print;
use super::{lock, state, status};
use crate::failure::Failure;
use crate::places::Places;
use crate::program;

/// Set for the process in the background.
const BACKGROUND: &str = "CRM_UP_IN_BACKGROUND";
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether this process is the one in the background.
pub(super) fn is_background() -> bool {
    std::env::var_os(BACKGROUND).is_some()
}

/// A session of its own: the terminal's end and its Ctrl-C are no longer ours.
pub(super) fn leave_terminal() {
    // Fails only for the leader of a process group, which somebody has then made on purpose.
    let _ = nix::unistd::setsid();
}

/// Starts this very command in the background, and waits until its platform is ready or it has ended.
pub(super) async fn start(places: &Places) -> Result<(), Failure> {
    drop(lock::take(places).await?);
    let log = places.root().join("logs/up.log");
    let mut supervisor = spawn(&log).context("cannot start the supervisor")?;
    while !is_announced(places, supervisor.id()) {
        if let Some(ended) = supervisor.try_wait().context("cannot watch the supervisor")? {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let failure = format!("the supervisor ended with {ended}:\n{}", text.trim_end());
            return Err(if ended.code() == Some(3) { Failure::Missing(failure) } else { Failure::Check(failure) });
        }
        sleep(LOOK_EVERY).await;
    }
    print(&status::announcement(places)?);
    Ok(())
}

fn is_announced(places: &Places, supervisor: u32) -> bool {
    state::read(places).is_some_and(|state| state.supervisor == supervisor && state.announced)
}

fn spawn(log: &Path) -> std::io::Result<Child> {
    // From the beginning, each time: it holds what this start has to say.
    let file = OpenOptions::new().create(true).write(true).truncate(true).open(log)?;
    let mut command = program::this();
    command.args(std::env::args_os().skip(1)).env(BACKGROUND, "1");
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()
}
