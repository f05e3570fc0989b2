//! Conditions that a request's headers put on the state of its resource (RFC 9110, 13).
//!
//! A write is judged by the service alone, within its transaction: the header becomes the request's etag field. Where it
//! names several states there is a message for each, to be tried one after the other. A read is judged by the answer.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE},
};
use prost::Message;
use prost_reflect::{DynamicMessage, Value};

use crate::{
    binding::Binding,
    entity_tag::{Tag, Tags},
    faults::Faults,
    field_path::FieldPath,
};

/// Each state that is named may cost a call.
const MOST_STATES: usize = 10;

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The encoded request message, without a gRPC frame, once for each state in which the caller wants it done. What
    /// the service refuses as stale is to be sent in its next form; no form at all is stale already.
    pub messages: Vec<Bytes>,
    /// Whether the states are those of a header, so that a stale one is told as HTTP tells it.
    pub is_conditional: bool,
    /// What is asked of the answer.
    pub conditions: Conditions,
    /// Whether the request id came as a header, by which it is named to its caller.
    pub(crate) key_in_header: bool,
    /// Whether a header told which event was read last.
    pub(crate) resumed: bool,
}

/// What a read's headers ask of its answer.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// What becomes of an answer under conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes out.
    Show,
    /// The caller has it already: 304.
    NotModified,
    /// The caller wanted another state: 412.
    Failed,
}

impl Request {
    /// One message, in any state.
    pub(crate) fn of(message: Bytes) -> Self {
        Self {
            messages: vec![message],
            is_conditional: false,
            conditions: Conditions::default(),
            key_in_header: false,
            resumed: false,
        }
    }
}

impl Conditions {
    /// Judges by the state that was read, `If-Match` first (RFC 9110, 13.2.2).
    pub(crate) fn judge(&self, current: Option<&Tag>) -> Verdict {
        if self.if_match.as_ref().is_some_and(|tags| !tags.match_strongly(current)) {
            return Verdict::Failed;
        }
        match &self.if_none_match {
            Some(tags) if current.is_some() && tags.match_weakly(current) => Verdict::NotModified,
            Some(_) | None => Verdict::Show,
        }
    }
}

/// Reads the conditions of a request whose message is `message` so far.
pub(crate) fn read(binding: &Binding, headers: &HeaderMap, message: &DynamicMessage, faults: &mut Faults) -> Request {
    let if_match = tags(headers, &IF_MATCH, "If-Match", faults);
    let if_none_match = tags(headers, &IF_NONE_MATCH, "If-None-Match", faults);
    if binding.method == Method::GET {
        if if_match.is_some() && binding.rpc.etag.is_none() {
            faults.add("INVALID_REQUEST", "If-Match", "what this route answers has no etag");
        }
        let conditions = Conditions { if_match, if_none_match };
        return Request { conditions, ..Request::of(encode(message)) };
    }
    refuse_unchecked(headers, faults);
    let states = if_match.and_then(|tags| states(binding, message, &tags, faults));
    match states {
        Some(messages) => Request { messages, is_conditional: true, ..Request::of(Bytes::new()) },
        None => Request::of(encode(message)),
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName, shown: &str, faults: &mut Faults) -> Option<Tags> {
    let read = Tags::read(headers, name)?;
    if read.is_none() {
        faults.invalid(shown, "must be entity tags in double quotes, such as \"v1a\", joined by commas, or * alone");
    }
    read
}

/// What nobody checks must not look as if it were: who sends it believes to be safe.
fn refuse_unchecked(headers: &HeaderMap, faults: &mut Faults) {
    if headers.contains_key(IF_NONE_MATCH) {
        faults.add("INVALID_REQUEST", "If-None-Match", "is understood on GET and HEAD only");
    }
    // Beside `If-Match` it is to be ignored (RFC 9110, 13.1.4).
    if headers.contains_key(IF_UNMODIFIED_SINCE) && !headers.contains_key(IF_MATCH) {
        faults.add("INVALID_REQUEST", "If-Unmodified-Since", "is not checked: states are told by etag; send If-Match");
    }
}

/// A message for each of the states; `None` where any will do, for then the service asks for the resource alone.
fn states(binding: &Binding, message: &DynamicMessage, tags: &Tags, faults: &mut Faults) -> Option<Vec<Bytes>> {
    let Some(field) = &binding.etag else {
        faults.add("INVALID_REQUEST", "If-Match", "this route's request has no etag");
        return None;
    };
    let Tags::These(tags) = tags else { return None };
    if tags.len() > MOST_STATES {
        faults.invalid("If-Match", format!("must name at most {MOST_STATES} states"));
        return None;
    }
    let mut etags: Vec<String> = Vec::new();
    for etag in tags.iter().filter_map(Tag::etag) {
        if !etags.contains(&etag) {
            etags.push(etag);
        }
    }
    let given =
        field.get(message).and_then(|value| value.as_str().map(str::to_owned)).filter(|given| !given.is_empty());
    match given {
        // Both hold for this state alone.
        Some(given) if etags.contains(&given) => Some(vec![encode(message)]),
        Some(_) if !etags.is_empty() => {
            faults.conflict(&binding.name_of(field), "differs from If-Match");
            None
        }
        _ => Some(etags.into_iter().map(|etag| in_state(message, field, etag)).collect()),
    }
}

fn in_state(message: &DynamicMessage, field: &FieldPath, etag: String) -> Bytes {
    let mut message = message.clone();
    field.set(&mut message, Value::String(etag));
    encode(&message)
}

fn encode(message: &DynamicMessage) -> Bytes {
    message.encode_to_vec().into()
}

/// One answer as JSON, for a caller who may have put conditions on it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The message, or the part of it that the route shows.
    pub json: Vec<u8>,
    /// The strong tag of the state that is shown, where it has an etag.
    ///
    /// It stands for these bytes: whoever compresses an answer on its way must leave it alone, or make the tag weak.
    pub etag: Option<HeaderValue>,
    /// What becomes of it.
    pub verdict: Verdict,
}
