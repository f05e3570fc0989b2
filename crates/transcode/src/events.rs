//! Messages of a server stream as server-sent events (HTML Standard, 9.2).
//!
//! JSON has no line breaks, so each message is one line of data, however long.

use http::HeaderMap;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use crate::faults::Faults;

/// Name of the header by which a reader that comes again tells what it has read last.
const LAST_EVENT_ID: &str = "last-event-id";
/// The same as its caller knows it.
pub(crate) const LAST_EVENT_ID_SHOWN: &str = "Last-Event-ID";
/// Content type of a server stream over REST whose messages are events.
pub const EVENT_STREAM: &str = "text/event-stream";

/// Longest id that is told: readers send it back as a header, and services accept 15 KiB of all headers together.
const LONGEST_ID: usize = 8 * 1024;

/// Begins an event, up to its data. An id that is empty, would end its line, or is too long for a header is left out: the
/// reader then goes on behind an earlier event, and misses nothing.
pub(crate) fn begin(id: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let can_be_told = |id: &&str| !id.is_empty() && id.len() <= LONGEST_ID && !id.contains(char::is_control);
    if let Some(id) = id.filter(can_be_told) {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out
}

/// Ends an event behind its data.
pub(crate) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}

/// Fills in where a reader goes on. It stands above what the query says: a browser that comes again calls the same
/// address, which tells where the reader once began.
pub(crate) fn resume(
    field: Option<&FieldDescriptor>,
    headers: &HeaderMap,
    message: &mut DynamicMessage,
    faults: &mut Faults,
) -> bool {
    let Some(field) = field else { return false };
    let mut lines = headers.get_all(LAST_EVENT_ID).iter().filter(|line| !line.is_empty());
    let Some(line) = lines.next() else { return false };
    if lines.any(|other| other != line) {
        faults.conflict(LAST_EVENT_ID_SHOWN, "is given more than once");
        return false;
    }
    let Ok(id) = std::str::from_utf8(line.as_bytes()) else {
        faults.invalid(LAST_EVENT_ID_SHOWN, "is not UTF-8");
        return false;
    };
    // Marked fields are single strings.
    message.try_set_field(field, Value::String(id.to_owned())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_cannot_be_told_is_left_out() {
        let check = |id: &str, expected: &str| assert_eq!(String::from_utf8(begin(Some(id))).unwrap(), expected);
        check("7:é x", "id: 7:é x\ndata: ");
        check(" 7", "id:  7\ndata: ");
        for id in ["", "7\n", "7\r8", "7\ndata: forged\n\n", "\0", "7\u{85}", "\u{7f}"] {
            check(id, "data: ");
        }
        assert_eq!(begin(None), b"data: ");
        let longest = "7".repeat(LONGEST_ID);
        check(&longest, &format!("id: {longest}\ndata: "));
        check(&(longest + "7"), "data: ");
    }
}
