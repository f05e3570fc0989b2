//! When a postmaster accepts connections: it says so itself, on line 8 of `postmaster.pid`.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::child::Child;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Blocks until the child is ready; the reason when it ends before, or is not ready by the deadline.
pub(super) fn wait(child: &Child, data: &Path, deadline: Instant) -> Result<(), String> {
    while Instant::now() < deadline {
        if is_ready(&fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default(), child.pid()) {
            return Ok(());
        }
        if let Some(status) = child.wait_for(LOOK_EVERY) {
            return Err(format!("it ended with {status}"));
        }
    }
    Err("not ready in time".to_owned())
}

/// The file may still be an earlier postmaster's: the first line is the process id.
fn is_ready(status_file: &str, pid: u32) -> bool {
    let mut lines = status_file.lines();
    let own = lines.next().is_some_and(|line| line.trim() == pid.to_string());
    own && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use super::is_ready;

    #[test]
    fn only_the_own_status_file_counts_and_only_when_it_says_ready() {
        let file = |pid: u32, state: &str| format!("{pid}\n/data\n1\n5432\n/socket\n\n  1 2\n{state}   \n");
        assert!(is_ready(&file(7, "ready"), 7));
        assert!(!is_ready(&file(8, "ready"), 7));
        assert!(!is_ready(&file(7, "starting"), 7));
        assert!(!is_ready("7\n/data\n", 7));
        assert!(!is_ready("", 7));
    }
}
