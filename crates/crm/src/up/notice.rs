//! What the supervisor tells whoever watches: one line, with the time, on standard error.

use std::io::Write;

use time::OffsetDateTime;

/// Says it. A terminal that has gone away is no reason to stop.
pub(super) fn say(text: impl AsRef<str>) {
    let now = OffsetDateTime::now_utc().time();
    let line = format!("{:02}:{:02}:{:02} {}\n", now.hour(), now.minute(), now.second(), text.as_ref());
    let _ = std::io::stderr().write_all(line.as_bytes());
}
