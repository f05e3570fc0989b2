//! `crm down`: asks the supervisor to stop, and waits until it has.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::notice::print;
use super::{lock, orders};
use crate::failure::Failure;
use crate::places::Places;

/// Longer than all stages of a stop together may take.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// All that a platform writes into its folder. Nothing else in there is ours to remove.
const OURS: [&str; 8] = ["keys", "logs", "postgres", "redis", "state.json", "state.json.new", orders::FILE, "lock"];

/// Stops the platform if one runs; with `wipe`, removes all that it wrote.
pub(crate) async fn down(places: &Places, wipe: bool) -> Result<(), Failure> {
    let folder = places.root().display();
    match lock::holder(places) {
        Some(supervisor) => {
            stop(places, supervisor).await?;
            print(&format!("stopped the platform in {folder}"));
        }
        None => print(&format!("no platform runs in {folder}")),
    }
    if wipe {
        until_postgres_is_gone(places.root()).await;
        remove(places.root()).with_context(|| format!("cannot remove {folder}"))?;
        print("removed its data, keys and logs");
    }
    Ok(())
}

async fn stop(places: &Places, supervisor: u32) -> Result<(), Failure> {
    let pid = i32::try_from(supervisor).context("the lock holds no process id")?;
    kill(Pid::from_raw(pid), Signal::SIGTERM).with_context(|| format!("cannot signal process {supervisor}"))?;
    let deadline = Instant::now() + PATIENCE;
    while !lock::is_free(places) {
        if Instant::now() > deadline {
            let patience = PATIENCE.as_secs();
            return Err(Failure::Check(format!("process {supervisor} has not stopped within {patience} s")));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// After a supervisor that was killed, PostgreSQL may still be writing its last checkpoint.
async fn until_postgres_is_gone(root: &Path) {
    let deadline = Instant::now() + PATIENCE;
    let status_file = root.join("postgres/data/postmaster.pid");
    while status_file.exists() && process_exists(&status_file) && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
}

fn process_exists(status_file: &Path) -> bool {
    let text = std::fs::read_to_string(status_file).unwrap_or_default();
    text.lines().next().is_some_and(|pid| Path::new("/proc").join(pid.trim()).exists())
}

fn remove(root: &Path) -> std::io::Result<()> {
    for name in OURS {
        let path = root.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    // Somebody else's file in there keeps the folder, too.
    let _ = std::fs::remove_dir(root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wipe_removes_what_is_ours_and_nothing_else() {
        let root = std::env::temp_dir().join(format!("crm-down-{}", uuid::Uuid::new_v4()));
        for name in ["keys", "postgres/data"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::write(root.join("theirs.txt"), "theirs").unwrap();
        let places = Places::new(Some(root.clone()));
        down(&places, true).await.unwrap();
        let left: Vec<_> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["theirs.txt"]);
        std::fs::remove_file(root.join("theirs.txt")).unwrap();
        down(&places, true).await.unwrap();
        assert!(!root.exists());
    }
}
