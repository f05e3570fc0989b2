//! What the supervisor tells whoever watches. A terminal or pipe that has gone away is no reason to stop.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// One line, with the time (UTC), on standard error.
pub(super) fn say(text: impl AsRef<str>) {
    let line = format!("{} {}\n", clock(), text.as_ref());
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn clock() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// A result, on standard output.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
