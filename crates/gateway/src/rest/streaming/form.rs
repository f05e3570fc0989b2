//! What the messages of a server stream look like: lines of JSON, or server-sent events for who asks for them; or, of a
//! method that streams a file, that file.

use crm_server::compression::weight_of;
use crm_transcode::{CSV, EVENT_STREAM, Error, NDJSON, Rpc, Transcoder};
use http::{HeaderMap, header};
use tonic::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Events,
    /// A table, of a method that has nothing else.
    Table,
}

/// How well a range of media types fits one of them, and how much its sender likes it; the better fit decides.
type Rank = (usize, u32);

impl Form {
    /// What a caller of this method wants.
    pub(crate) fn of(rpc: &Rpc, headers: &HeaderMap) -> Self {
        if rpc.is_file { Self::Table } else { Self::wanted(headers) }
    }

    /// What a caller wants (RFC 9110, 12.5.1). Lines are what there is for who takes either, and for who takes none.
    fn wanted(headers: &HeaderMap) -> Self {
        let (mut lines, mut events): (Rank, Rank) = ((0, 0), (0, 0));
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        for (range, weight) in ranges.flat_map(|line| line.split(',')).filter_map(read) {
            for (kind, best) in [(NDJSON, &mut lines), (EVENT_STREAM, &mut events)] {
                *best = fit(&range, kind).map_or(*best, |fit| (*best).max((fit, weight)));
            }
        }
        let is_named = events.0 > lines.0;
        let is_wanted = events.1 > 0 && (events.1 > lines.1 || (events.1 == lines.1 && is_named));
        if is_wanted { Self::Events } else { Self::Lines }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Lines => NDJSON,
            Self::Events => EVENT_STREAM,
            Self::Table => CSV,
        }
    }

    pub(super) fn show(self, transcoder: &Transcoder, rpc: &Rpc, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Lines => transcoder.response_line(rpc, message),
            Self::Events => transcoder.response_event(rpc, message),
            Self::Table => transcoder.response_bytes(rpc, message),
        }
    }

    /// The last that is said where all went well. Lines just end; a browser would take the end of events for a fault, and
    /// come again for what it has.
    pub(super) fn end(self) -> &'static [u8] {
        match self {
            Self::Lines | Self::Table => b"",
            Self::Events => b"event: end\ndata: {}\n\n",
        }
    }

    /// The last that is said otherwise; nothing where it would be read as one row more: such a stream is broken off.
    pub(super) fn fail(self, transcoder: &Transcoder, status: &Status) -> Option<Vec<u8>> {
        let (code, message, details) = (status.code().into(), status.message(), status.details());
        match self {
            Self::Lines => Some(transcoder.status_line(code, message, details)),
            Self::Events => Some(transcoder.status_event(code, message, details)),
            Self::Table => None,
        }
    }
}

/// Where the table of an export is, for a caller that names its type and likes nothing better.
pub(crate) fn table_of(headers: &HeaderMap, path: &str) -> Option<String> {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges: Vec<_> = ranges.flat_map(|line| line.split(',')).filter_map(read).collect();
    let weight = ranges.iter().filter(|(range, _)| range == "text/csv").map(|(_, weight)| *weight).max()?;
    let is_best = weight > 0 && ranges.iter().all(|(_, other)| *other <= weight);
    (is_best && path.ends_with(":export")).then(|| format!("{path}Csv"))
}

/// A range with its weight in thousandths. Other parameters tell nothing more.
fn read(range: &str) -> Option<(String, u32)> {
    let mut parts = range.split(';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let is_weight = |part: &&str| part.split('=').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("q"));
    parts.find(is_weight).map_or(Some(1000), weight_of).map(|weight| (name, weight))
}

fn fit(range: &str, kind: &str) -> Option<usize> {
    let (group, _) = kind.split_once('/')?;
    match range.split_once('/')? {
        _ if range == kind => Some(3),
        (one, "*") if one == group => Some(2),
        ("*", "*") => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_table_is_for_who_names_it_and_likes_nothing_better() {
        for (accept, is_table) in [
            ("text/csv", true),
            ("text/csv, */*;q=0.5", true),
            ("text/csv;header=present", true),
            ("application/x-ndjson, text/csv;q=0.9", false),
            ("text/csv;q=0", false),
            ("text/*", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a value"))]);
            let found = table_of(&headers, "/v1/accounts:export");
            assert_eq!(found.as_deref(), is_table.then_some("/v1/accounts:exportCsv"), "{accept}");
            assert_eq!(table_of(&headers, "/v1/accounts"), None);
        }
    }

    fn check(lines: &[&'static str], expected: Form) {
        let headers = lines.iter().map(|line| (header::ACCEPT, HeaderValue::from_static(line)));
        assert_eq!(Form::wanted(&headers.collect()), expected, "{lines:?}");
    }

    #[test]
    fn events_are_for_who_likes_them_more_than_lines() {
        for events in [
            "text/event-stream",
            "Text/Event-Stream; charset=utf-8",
            "text/event-stream, */*",
            "text/event-stream;q=0.1",
            "text/event-stream;q=0.5, */*;q=0.4",
            "text/event-stream;charset=utf-8;q=0.5, application/x-ndjson ; q=0.4",
            "text/*",
            "application/x-ndjson;q=0, */*",
            "text/event-stream;q=0.3, application/x-ndjson;q=0, application/*",
        ] {
            check(&[events], Form::Events);
        }
        check(&["application/x-ndjson;q=0.2", "text/event-stream"], Form::Events);
        for lines in [
            "",
            "*/*",
            "application/json",
            "application/x-ndjson",
            "application/x-ndjson, text/event-stream",
            "text/event-stream;q=0.5, application/x-ndjson",
            "text/event-stream;q=0.5, */*",
            "text/event-stream;q=0",
            "text/event-stream;q=0, text/*",
            "text/event-stream;q=0, */*",
            "text/event-stream;q=2",
            "text/event-streams",
            "event-stream",
        ] {
            check(&[lines], Form::Lines);
        }
        check(&[], Form::Lines);
    }
}
