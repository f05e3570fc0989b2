//! An HTTP request to the RPC's request message.

use std::collections::HashSet;

use http::HeaderMap;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use crate::{
    Limits, Request, RequestError,
    binding::{Binding, Body},
    conditions, events,
    faults::Faults,
    json::{self, Json},
    key, mask,
    percent::{self, Slash},
    query,
};

/// Refuses JSON of which an object has one key twice. What is no JSON passes: to refuse it is for who reads it.
///
/// # Errors
///
/// Every key that comes again.
pub fn refuse_repeated_keys(json: &[u8]) -> Result<(), RequestError> {
    let mut faults = Faults::new(Limits::default().violations);
    if let Ok(json) = json::parse(json, MOST_LEVELS) {
        json::refuse_twice(&json, "", &mut faults);
    }
    faults.finish()
}

/// The JSON of a body, if it is some, within limits.
pub(crate) fn parse_json<'j>(body: &'j [u8], limits: &Limits, faults: &mut Faults) -> Option<Json<'j>> {
    let max = limits.body_bytes;
    if body.len() > max {
        faults.add("BODY_TOO_LARGE", "body", format!("must not be longer than {max} bytes"));
        return None;
    }
    let parsed = json::parse(body, limits.json_depth);
    let json = parsed.map_err(|fault| faults.add("MALFORMED_JSON", "body", fault)).ok()?;
    json::refuse_twice(&json, "", faults);
    Some(json)
}

/// No reader of the platform takes JSON that is nested deeper: it is serde_json's own bound.
const MOST_LEVELS: usize = 128;

/// The parts of a request that its message is made of.
pub(crate) struct Parts<'a> {
    pub(crate) captures: &'a [&'a str],
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Reads one request.
pub(crate) struct Reader<'a> {
    pub(crate) binding: &'a Binding,
    pub(crate) limits: &'a Limits,
    /// Full names of fields that no update changes.
    pub(crate) fixed: &'a HashSet<String>,
}

impl Reader<'_> {
    /// Body first and path last, so that the path has the final word on what it binds.
    pub(crate) fn read(&self, parts: &Parts<'_>) -> Result<Request, RequestError> {
        let mut faults = Faults::new(self.limits.violations);
        let json = self.parse_body(parts.body, &mut faults);
        let mut message = self.read_body(json.as_ref(), &mut faults);
        if let Some(query) = parts.query {
            query::apply(self.binding, query, &mut message, &mut faults);
        }
        let resumed = events::resume(self.binding.rpc.resume.as_ref(), parts.headers, &mut message, &mut faults);
        self.apply_path(parts.captures, &mut message, &mut faults);
        let key_in_header = key::fill(self.binding.request_id.as_ref(), parts.headers, &mut message, &mut faults);
        self.derive_mask(json.as_ref(), &mut message);
        let request = conditions::read(self.binding, parts.headers, &message, &mut faults);
        faults.finish().map(|()| Request { key_in_header, resumed, ..request })
    }

    /// An empty body is none at all.
    fn parse_body<'j>(&self, body: &'j [u8], faults: &mut Faults) -> Option<Json<'j>> {
        let is_short = body.len() <= self.limits.body_bytes;
        if is_short && body.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        if is_short && matches!(self.binding.body, Body::None) {
            faults.add("INVALID_REQUEST", "body", "this route takes no body");
            return None;
        }
        parse_json(body, self.limits, faults)
    }

    fn read_body(&self, json: Option<&Json<'_>>, faults: &mut Faults) -> DynamicMessage {
        let input = &self.binding.rpc.input;
        let mut message = DynamicMessage::new(input.clone());
        match (&self.binding.body, json) {
            (Body::Whole, Some(json)) => return json::read_message(input, json, "", faults),
            (Body::Field(field), Some(json)) => {
                if let Some(value) = json::read_field(field, json, "", faults) {
                    // Read against this very field, so it fits.
                    let _ = message.try_set_field(field, value);
                }
            }
            (Body::None, _) | (_, None) => {}
        }
        message
    }

    fn apply_path(&self, captures: &[&str], message: &mut DynamicMessage, faults: &mut Faults) {
        let template = &self.binding.template;
        for ((path, variable), raw) in self.binding.variables.iter().zip(&template.variables).zip(captures) {
            let slash = if template.spans_segments(variable) { Slash::Keep } else { Slash::Decode };
            let (name, Some(leaf)) = (self.binding.name_of(path), path.leaf()) else { continue };
            let Some(text) = percent::decode(raw, slash) else {
                faults.invalid(&name, "is not percent-encoded UTF-8");
                continue;
            };
            match json::read_text(leaf, &text) {
                Err(expected) => faults.invalid(&name, expected),
                Ok(value) if path.get(message).is_some_and(|given| !key::is_same_value(&given, &value)) => {
                    faults.conflict(&name, "differs from the path");
                }
                Ok(value) => match path.conflicting_choice(message) {
                    Some(other) => faults.conflict(&name, format!("cannot be given together with {other}")),
                    None => path.set(message, value),
                },
            }
        }
    }

    /// A mask without paths is none (AIP-134).
    fn derive_mask(&self, json: Option<&Json<'_>>, message: &mut DynamicMessage) {
        let (Some(field), Body::Field(body), Some(json)) = (&self.binding.update_mask, &self.binding.body, json) else {
            return;
        };
        let Some(resource) = body.kind().as_message().cloned() else { return };
        let Value::Message(mask) = message.get_field_mut(field) else { return };
        // Number 1 of a FieldMask is its list of paths.
        if mask.has_field_by_number(1) {
            return;
        }
        let paths = mask::derive(&resource, json, &|field| self.is_no_change(body, field));
        let _ = mask.try_set_field_by_number(1, Value::List(paths.into_iter().map(Value::String).collect()));
    }

    /// What a body may repeat without asking for a change: what the path binds, what the server writes, the etag.
    fn is_no_change(&self, body: &FieldDescriptor, field: &FieldDescriptor) -> bool {
        field.name() == "etag"
            || self.fixed.contains(field.full_name())
            || self.binding.variables.iter().any(|variable| variable.is(&[body, field]))
    }
}
