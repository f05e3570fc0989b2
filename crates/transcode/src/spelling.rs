//! A service's words about a request, as a caller who writes JSON would say them.
//!
//! Services name fields by their path in the request message: `account.annual_revenue`. Who calls over REST has never
//! written `account.`, for the body stands for it, and writes `annualRevenue`.

use crm_proto::google::rpc::{self, BadRequest, bad_request::FieldViolation};
use prost::Message;
use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::{
    binding::Body,
    events::LAST_EVENT_ID_SHOWN,
    field_path::{self, find_field},
    json::WellKnown,
};

/// Names the fields of requests that stand for one message.
pub(crate) struct Spelling<'a> {
    pub(crate) input: &'a MessageDescriptor,
    /// What of the message the body stands for.
    pub(crate) body: &'a Body,
    /// The request id, where it came as a header.
    pub(crate) key_in_header: Option<&'a FieldDescriptor>,
    /// Where the last event was told, where it came as a header.
    pub(crate) resumed: Option<&'a FieldDescriptor>,
}

/// A field that a service has named, and what stood behind its name, such as `[1]`.
struct Named<'t> {
    fields: Vec<FieldDescriptor>,
    behind: &'t str,
}

impl Spelling<'_> {
    /// The message and the details of a status, if they name fields.
    pub(crate) fn respell(&self, message: &str, details: &[u8]) -> Option<(String, Vec<u8>)> {
        let mut status = rpc::Status::decode(details).ok()?;
        let any = status.details.iter_mut().find(|any| any.type_url.ends_with("/google.rpc.BadRequest"))?;
        let mut bad_request = BadRequest::decode(&*any.value).ok()?;
        let given: Vec<String> = bad_request.field_violations.iter().map(|one| one.field.clone()).collect();
        for violation in &mut bad_request.field_violations {
            self.respell_violation(violation);
        }
        any.value = bad_request.encode_to_vec();
        status.message =
            replace_words(message, |word| given.iter().any(|field| field == word).then(|| self.name(word)));
        Some((status.message.clone(), status.encode_to_vec()))
    }

    /// The rule may name fields beside the one at fault.
    fn respell_violation(&self, violation: &mut FieldViolation) {
        let holder = self.find(&violation.field).and_then(|named| Some(named.fields.last()?.parent_message().clone()));
        let beside = |name: &str| Some(holder.as_ref()?.get_field_by_name(name)?.json_name().to_owned());
        violation.description =
            replace_words(&violation.description, |word| beside(word).filter(|_| word.contains('_')));
        violation.field = self.name(&violation.field);
    }

    /// The caller's name of a field; what is no field of the request keeps its name.
    fn name(&self, path: &str) -> String {
        let Some(Named { fields, behind }) = self.find(path) else { return path.to_owned() };
        match (self.body, fields.as_slice()) {
            (Body::Field(body), [first]) if first == body && behind.is_empty() => "body".to_owned(),
            (Body::Field(body), [first, rest @ ..]) if first == body => field_path::json(rest) + behind,
            (_, [only]) if Some(only) == self.key_in_header => "Idempotency-Key".to_owned(),
            (_, [only]) if Some(only) == self.resumed => LAST_EVENT_ID_SHOWN.to_owned(),
            (_, fields) => field_path::json(fields) + behind,
        }
    }

    /// Down to what JSON writes as one value: a mask's paths are none of its caller's fields.
    fn find<'t>(&self, path: &'t str) -> Option<Named<'t>> {
        let (mut at, mut fields, mut rest) = (Some(self.input.clone()), Vec::new(), path);
        while let Some(message) = at {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            let field = find_field(&message, name)?;
            at = inside(&field).filter(|_| behind.starts_with('.'));
            let is_one_value = field.kind().as_message().is_some_and(|inner| WellKnown::of(inner).is_some());
            rest = if is_one_value && !field.is_list() { "" } else { behind };
            if at.is_some() {
                rest = behind.strip_prefix('.').unwrap_or(behind);
            }
            fields.push(field);
        }
        Some(Named { fields, behind: rest })
    }
}

/// The message whose fields come next.
fn inside(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let message = field.kind().as_message().cloned()?;
    (!field.is_list() && !field.is_map() && WellKnown::of(&message).is_none()).then_some(message)
}

/// Replaces words of the characters that a path is made of. What stands in quotes is the caller's, as it was written.
fn replace_words(text: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let end = if is_of_word(first) {
            rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())
        } else {
            quotation(rest).unwrap_or(first.len_utf8())
        };
        let (part, behind) = rest.split_at(end);
        out += is_of_word(first).then(|| replace(part)).flatten().as_deref().unwrap_or(part);
        rest = behind;
    }
    out
}

/// The length of a quotation at the front, as `{:?}` writes one; a quote that nothing closes opens none.
fn quotation(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let is_end = |(_, c): &(usize, char)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    };
    text.strip_prefix('"')?.char_indices().find(is_end).map(|(at, _)| at + 2)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use crate::{Transcoder, binding::Binding};

    use super::*;

    fn check(method: &Method, path: &str, key_in_header: bool, names: &[(&str, &str)]) {
        let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
        let found = transcoder.route(method, path).unwrap();
        let Binding { rpc, body, request_id, .. } = found.binding();
        let spelling = Spelling {
            input: &rpc.input,
            body,
            key_in_header: request_id.as_ref().filter(|_| key_in_header),
            resumed: None,
        };
        for (given, expected) in names {
            assert_eq!(spelling.name(given), *expected, "{method} {path}");
        }
    }

    #[test]
    fn fields_are_named_as_the_caller_of_the_route_writes_them() {
        check(&Method::GET, "/v1/accounts", false, &[("page_size", "pageSize"), ("filter", "filter"), ("x", "x")]);
        check(&Method::GET, "/v1/accounts:batchGet", false, &[("ids[3]", "ids[3]")]);
        check(
            &Method::PATCH,
            "/v1/contacts/7",
            false,
            &[
                ("contact", "body"),
                ("contact.id", "id"),
                ("contact.given_name", "givenName"),
                ("contact.emails[1]", "emails[1]"),
                ("contact.nope", "contact.nope"),
                ("update_mask", "updateMask"),
                ("update_mask.paths[0]", "updateMask"),
            ],
        );
        check(
            &Method::POST,
            "/v1/accounts",
            true,
            &[
                ("request_id", "Idempotency-Key"),
                ("account.annual_revenue.currency_code", "annualRevenue.currencyCode"),
            ],
        );
        check(&Method::POST, "/v1/accounts", false, &[("request_id", "requestId")]);
    }

    #[test]
    fn what_stands_in_quotes_is_the_caller_s() {
        let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
        let found = transcoder.route(&Method::GET, "/v1/accounts").unwrap();
        let Binding { rpc, body, .. } = found.binding();
        let spelling = Spelling { input: &rpc.input, body, key_in_header: None, resumed: None };
        for (field, given, expected) in [
            ("filter", r#"cannot filter by "page_size", only by id"#, r#"cannot filter by "page_size", only by id"#),
            ("order_by", r#"order_by cannot be "order_by""#, r#"orderBy cannot be "order_by""#),
            ("filter", r#"not "a \" page_size" but page_size"#, r#"not "a \" page_size" but pageSize"#),
            ("filter", r#""é\\" page_size"#, r#""é\\" pageSize"#),
            ("filter", r#"5" of page_size and é"#, r#"5" of pageSize and é"#),
        ] {
            let mut violation = FieldViolation { field: field.into(), description: given.into(), ..Default::default() };
            spelling.respell_violation(&mut violation);
            assert_eq!(violation.description, expected);
        }
    }
}
