//! The caller's context as the standards have it (W3C Trace Context, Baggage), before the library reads it.
//!
//! The library takes one line of a header, and more forms than there are; what it cannot read of baggage it would log.

use std::borrow::Cow;

use http::HeaderMap;
use opentelemetry::propagation::Extractor;
use percent_encoding::percent_decode_str;

pub(crate) const TRACE_PARENT: &str = "traceparent";
pub(crate) const TRACE_STATE: &str = "tracestate";
pub(crate) const BAGGAGE: &str = "baggage";

/// Of `tracestate`: more members than that, and none counts; longer ones are cut to what everybody passes on.
const MAX_STATES: usize = 32;
const MAX_STATE_BYTES: usize = 512;
/// Those that go first where there are too many bytes.
const LONG_STATE_BYTES: usize = 128;
const MAX_VALUE_BYTES: usize = 256;
/// Of `baggage`, what everybody passes on.
const MAX_BAGGAGE: usize = 64;
const MAX_BAGGAGE_BYTES: usize = 8192;

/// Reads headers for the library's propagators.
pub(crate) struct Incoming<'a> {
    parent: Option<&'a str>,
    state: Option<String>,
    baggage: Option<String>,
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(headers: &'a HeaderMap) -> Self {
        let parent = parent(headers);
        // A state belongs to a parent: without one it is nobody's.
        Self { parent, state: parent.and_then(|_| state(headers)), baggage: baggage(headers) }
    }
}

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACE_PARENT => self.parent,
            TRACE_STATE => self.state.as_deref(),
            BAGGAGE => self.baggage.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACE_PARENT, TRACE_STATE, BAGGAGE]
    }
}

/// The only line, if it is one: two parents are none, even if they are equal.
fn parent(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(TRACE_PARENT).iter();
    let line = lines.next()?.to_str().ok()?;
    (lines.next().is_none() && is_parent(line)).then_some(line)
}

/// `version-trace-parent-flags` in lower-case digits; later versions may go on after another dash.
fn is_parent(line: &str) -> bool {
    const LENGTHS: [usize; 4] = [2, 32, 16, 2];
    let mut fields = line.splitn(5, '-');
    let digits = |field: &str| field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let are_fields = LENGTHS.iter().all(|length| fields.next().is_some_and(|it| it.len() == *length && digits(it)));
    are_fields && !line.starts_with("ff") && (fields.next().is_none() || !line.starts_with("00"))
}

/// All lines together, or nothing where a member is none.
fn state(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<_> = headers.get_all(TRACE_STATE).iter().map(|line| line.to_str()).collect::<Result<_, _>>().ok()?;
    let blank = [' ', '\t'];
    let members = lines.iter().flat_map(|line| line.split(',')).map(|member| member.trim_matches(blank));
    let mut members: Vec<_> = members.filter(|member| !member.is_empty()).collect();
    if members.len() > MAX_STATES || !members.iter().all(|member| is_state(member)) {
        return None;
    }
    for longer_than in [LONG_STATE_BYTES, 0] {
        while joined_bytes(&members) > MAX_STATE_BYTES
            && let Some(last) = members.iter().rposition(|member| member.len() > longer_than)
        {
            members.remove(last);
        }
    }
    (!members.is_empty()).then(|| members.join(","))
}

/// The library judges the key.
fn is_state(member: &str) -> bool {
    member.split_once('=').is_some_and(|(key, value)| {
        let is_text = value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
        !key.is_empty() && (1..=MAX_VALUE_BYTES).contains(&value.len()) && is_text
    })
}

/// All members that are some, of all lines that are texts.
fn baggage(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(BAGGAGE).iter().filter_map(|line| line.to_str().ok());
    let mut all = String::new();
    for member in lines.flat_map(|line| line.split(',')).filter_map(load).take(MAX_BAGGAGE) {
        if all.len() + 1 + member.len() > MAX_BAGGAGE_BYTES {
            break;
        }
        all.extend([if all.is_empty() { "" } else { "," }, &member]);
    }
    (!all.is_empty()).then_some(all)
}

/// A member of baggage in a form that the library reads whole: it would cut a value at an equals sign.
fn load(member: &str) -> Option<Cow<'_, str>> {
    let (pair, properties) = member.split_at(member.find(';').unwrap_or(member.len()));
    let (key, value) = pair.split_once('=')?;
    if key.trim().is_empty() || [key, value].iter().any(|text| percent_decode_str(text).decode_utf8().is_err()) {
        return None;
    }
    Some(match value.contains('=') {
        true => format!("{key}={}{properties}", value.replace('=', "%3D")).into(),
        false => member.into(),
    })
}

fn joined_bytes(members: &[&str]) -> usize {
    members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1)
}
