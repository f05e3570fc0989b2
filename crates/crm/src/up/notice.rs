//! What the supervisor tells whoever watches. A terminal or pipe that has gone away is no reason to stop.

use std::io::Write;

use time::OffsetDateTime;

/// One line, with the time, on standard error.
pub(super) fn say(text: impl AsRef<str>) {
    let now = OffsetDateTime::now_utc().time();
    let line = format!("{:02}:{:02}:{:02} {}\n", now.hour(), now.minute(), now.second(), text.as_ref());
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A result, on standard output.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
