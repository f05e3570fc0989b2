//! How long a call may take: what its caller asks for, up to a limit that the answer names.

use std::time::Duration;

use crm_transcode::Rpc;
use http::{HeaderMap, HeaderValue};

use crate::{config::CallLimits, timeout::TIMEOUT};

/// Whether a call streams, in either direction.
fn streams(rpc: &Rpc) -> bool {
    rpc.server_streaming || rpc.client_streaming
}

/// What a call gets. A stream lasts as long as it has to say something, and asks for nothing by itself; a method that no
/// descriptor tells of may be one, and gets as much if it asks for it.
pub(crate) fn given(limits: &CallLimits, rpc: Option<&Rpc>, asked: Option<Duration>) -> Duration {
    let (default, longest) = match rpc {
        Some(rpc) if streams(rpc) => (limits.max_stream_timeout, limits.max_stream_timeout),
        Some(_) => (limits.default_timeout, limits.max_timeout),
        None => (limits.default_timeout, limits.max_stream_timeout),
    };
    asked.unwrap_or(default).min(longest)
}

/// The same, where the answer names it: to callers that asked for a time, and on streams, which all end some time.
pub(crate) fn named(limits: &CallLimits, rpc: Option<&Rpc>, asked: Option<Duration>) -> Option<Duration> {
    (asked.is_some() || rpc.is_some_and(streams)).then(|| given(limits, rpc, asked))
}

/// Names on an answer what its call was given, in the words of the request's header of this name.
pub(crate) fn name(headers: &mut HeaderMap, given: Option<Duration>) {
    if let Some(value) = given.and_then(|given| HeaderValue::try_from(words(given)).ok()) {
        headers.insert(TIMEOUT, value);
    }
}

fn words(given: Duration) -> String {
    // A part of a millisecond is one: `0ms` could not be asked for.
    match given.as_micros().div_ceil(1_000).max(1) {
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_a_millisecond_is_named_as_one() {
        assert_eq!(
            (words(Duration::from_micros(100)), words(Duration::from_micros(1_100))),
            ("1ms".into(), "2ms".into())
        );
    }

    #[test]
    fn what_is_given_is_named_in_words_that_can_be_asked_for() {
        for (millis, expected) in [(1_800_000, "30m"), (90_000, "90s"), (60_000, "1m"), (1_500, "1500ms")] {
            let mut headers = HeaderMap::new();
            name(&mut headers, Some(Duration::from_millis(millis)));
            assert_eq!(headers[TIMEOUT], expected);
            assert_eq!(crate::timeout::read(&headers), Ok(Some(Duration::from_millis(millis))));
        }
    }
}
