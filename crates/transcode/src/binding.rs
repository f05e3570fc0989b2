//! One `google.api.http` rule of one RPC, checked against its messages.

use std::sync::Arc;

use crm_proto::google::api::{HttpRule, http_rule::Pattern};
use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    Error, Rpc,
    field_path::{self, FieldPath},
    json::WellKnown,
    template::Template,
};

/// Where the JSON body of a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// The route takes no body.
    None,
    /// `*`: all that the path does not bind; the query then binds nothing.
    Whole,
    Field(FieldDescriptor),
}

#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) rpc: Arc<Rpc>,
    pub(crate) method: Method,
    /// The template as the proto file has it.
    pub(crate) text: String,
    pub(crate) template: Template,
    /// Fields of the template's variables, in its order.
    pub(crate) variables: Vec<FieldPath>,
    pub(crate) body: Body,
    /// Where a mask goes that is derived from the body.
    pub(crate) update_mask: Option<FieldDescriptor>,
    /// Where the `Idempotency-Key` header goes.
    pub(crate) request_id: Option<FieldDescriptor>,
    /// Where the `If-Match` header goes.
    pub(crate) etag: Option<FieldPath>,
}

impl Binding {
    /// A field as callers of this route know it: in JSON spelling, and below what the body stands for.
    pub(crate) fn name_of(&self, path: &FieldPath) -> String {
        match (&self.body, path.fields.split_first()) {
            (Body::Field(body), Some((first, rest))) if first == body && !rest.is_empty() => field_path::json(rest),
            _ => field_path::json(&path.fields),
        }
    }
}

/// The bindings of a rule and of its additional bindings; none may have further ones.
pub(crate) fn compile(rpc: &Rpc, rule: &HttpRule) -> Result<Vec<Binding>, Error> {
    let fail = |fault: String| Error::Rule { method: format!("{}.{}", rpc.service, rpc.method), fault };
    if rpc.client_streaming {
        return Err(fail("a client stream has no REST form".into()));
    }
    if rule.additional_bindings.iter().any(|inner| !inner.additional_bindings.is_empty()) {
        return Err(fail("additional bindings are nested".into()));
    }
    let rules = std::iter::once(rule).chain(&rule.additional_bindings);
    rules.map(|rule| compile_one(rpc, rule).map_err(fail)).collect()
}

fn compile_one(rpc: &Rpc, rule: &HttpRule) -> Result<Binding, String> {
    let (method, text) = method_and_path(rule).ok_or("it has no method and path")?;
    let template = Template::parse(text).map_err(|fault| format!("in `{text}`, {fault}"))?;
    let body = find_body(&rpc.input, &rule.body)?;
    let mut rpc = rpc.clone();
    if let Some(shown) = find_named(&rpc.output, &rule.response_body)? {
        rpc.show_only(shown);
    }
    let variables = find_variables(&rpc.input, &template)?;
    Ok(Binding {
        etag: if rpc.server_streaming { None } else { find_etag(&rpc.input, &variables) },
        variables,
        update_mask: find_update_mask(&rpc.input, &method, &body),
        request_id: find_request_id(&rpc.input),
        rpc: Arc::new(rpc),
        text: text.to_owned(),
        method,
        template,
        body,
    })
}

fn method_and_path(rule: &HttpRule) -> Option<(Method, &str)> {
    Some(match rule.pattern.as_ref()? {
        Pattern::Get(path) => (Method::GET, path),
        Pattern::Put(path) => (Method::PUT, path),
        Pattern::Post(path) => (Method::POST, path),
        Pattern::Delete(path) => (Method::DELETE, path),
        Pattern::Patch(path) => (Method::PATCH, path),
    })
}

fn find_body(input: &MessageDescriptor, name: &str) -> Result<Body, String> {
    match name {
        "*" => Ok(Body::Whole),
        _ => Ok(find_named(input, name)?.map_or(Body::None, Body::Field)),
    }
}

fn find_named(message: &MessageDescriptor, name: &str) -> Result<Option<FieldDescriptor>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = message.get_field_by_name(name);
    found.map(Some).ok_or_else(|| format!("`{name}` is not a field of {}", message.full_name()))
}

fn find_variables(input: &MessageDescriptor, template: &Template) -> Result<Vec<FieldPath>, String> {
    template.variables.iter().map(|variable| find_variable(input, &variable.field)).collect()
}

/// A path variable is one scalar: neither list nor message.
fn find_variable(input: &MessageDescriptor, name: &str) -> Result<FieldPath, String> {
    let path =
        FieldPath::resolve(input, name).ok_or_else(|| format!("`{name}` is not a field of {}", input.full_name()))?;
    match path.leaf() {
        Some(leaf) if !leaf.is_list() && leaf.kind().as_message().is_none() => Ok(path),
        _ => Err(format!("`{name}` is not a single scalar")),
    }
}

fn find_update_mask(input: &MessageDescriptor, method: &Method, body: &Body) -> Option<FieldDescriptor> {
    let field = input.get_field_by_name("update_mask")?;
    let is_mask = field.kind().as_message().and_then(WellKnown::of) == Some(WellKnown::FieldMask);
    (method == Method::PATCH && matches!(body, Body::Field(_)) && is_mask && !field.is_list()).then_some(field)
}

pub(crate) fn find_request_id(input: &MessageDescriptor) -> Option<FieldDescriptor> {
    let field = input.get_field_by_name("request_id")?;
    (field.kind() == Kind::String && !field.is_list()).then_some(field)
}

/// The etag beside what the path names: of the resource in an update, of the request itself in a deletion. A path that
/// names nothing, as that of a creation, leads to no state that could be compared.
fn find_etag(input: &MessageDescriptor, variables: &[FieldPath]) -> Option<FieldPath> {
    let beside = |variable: &FieldPath| variable.beside("etag").or_else(|| FieldPath::resolve(input, "etag"));
    variables.iter().rev().filter_map(beside).find(|path| path.leaf().is_some_and(is_etag))
}

/// Whether a field is an etag (AIP-154).
pub(crate) fn is_etag(field: &FieldDescriptor) -> bool {
    field.name() == "etag" && field.kind() == Kind::String && !field.is_list()
}
