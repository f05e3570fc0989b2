//! One operation: a route of one RPC.

use crm_proto::google::api::FieldBehavior;
use http::Method;
use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};

use super::{
    comments, parameters,
    path::PathVariable,
    schema::{Schemas, Usage, reference},
};
use crate::{
    CSV, EVENT_STREAM, NDJSON,
    binding::{Binding, Body},
};

pub(super) const STATUS: &str = "google.rpc.Status";

/// The operation under the path variables' names that its path has.
pub(super) fn describe(
    schemas: &mut Schemas,
    binding: &Binding,
    method: Option<&MethodDescriptor>,
    operation_id: &str,
    names: &[PathVariable],
) -> Value {
    let mut operation = json!({
        "operationId": operation_id,
        "tags": [short_service(&binding.rpc.service)],
        "parameters": parameters::all(schemas, binding, names),
        "responses": responses(schemas, binding),
    });
    let comment = method.and_then(|method| schemas.comments.find(&method.parent_file(), method.path()));
    if let Some(comment) = comment {
        operation["summary"] = comments::summary(comment).into();
        operation["description"] = comment.into();
    }
    if let Some(body) = request_body(schemas, binding) {
        operation["requestBody"] = body;
    }
    operation
}

pub(super) fn short_service(full: &str) -> &str {
    full.rsplit_once('.').map_or(full, |(_, short)| short)
}

fn responses(schemas: &mut Schemas, binding: &Binding) -> Value {
    let shared = |name: &str| json!({"$ref": format!("#/components/responses/{name}")});
    let mut responses = json!({"200": success(schemas, binding), "4XX": shared("Error"), "5XX": shared("Error")});
    if binding.rpc.etag.is_some() {
        responses["200"]["headers"] = etag_headers();
    }
    if parameters::takes_if_none_match(binding) {
        responses["304"] = shared("NotModified");
    }
    if parameters::takes_if_match(binding) {
        responses["412"] = shared("PreconditionFailed");
    }
    responses
}

/// The headers of an answer that is one resource.
pub(super) fn etag_headers() -> Value {
    json!({"ETag": {"$ref": "#/components/headers/ETag"}})
}

fn success(schemas: &mut Schemas, binding: &Binding) -> Value {
    if binding.rpc.is_file {
        let kind = CSV.split(';').next().unwrap_or(CSV);
        let description = "A table (RFC 4180); one that fails after it has begun is cut off.";
        return json!({"description": description, "content": {kind: {"schema": {"type": "string"}}}});
    }
    let schema = match &binding.rpc.response_body {
        Some(field) => schemas.field(field, Usage::Answer),
        None => schemas.message(&binding.rpc.output, Usage::Answer),
    };
    if binding.rpc.server_streaming {
        let error = json!({"type": "object", "required": ["error"], "properties": {"error": reference(STATUS)}});
        let line = json!({"description": "One line; an error can only be the last one.", "anyOf": [schema, error]});
        let description = "A stream: one JSON value a line, or, to `Accept: text/event-stream`, an event each.";
        return json!({"description": description, "content": {NDJSON: {"schema": line}, EVENT_STREAM: {"schema": events()}}});
    }
    json!({"description": "OK", "content": {"application/json": {"schema": schema}}})
}

/// OpenAPI 3.1 knows no events; a generated client is told that they are text.
fn events() -> Value {
    let description = "Server-sent events. `data` is the JSON of one message, on one line; `id`, where there is one, is what \
        `Last-Event-ID` takes. An event `error` can only be the last one; its `data` is a google.rpc.Status.";
    json!({"type": "string", "description": description})
}

fn request_body(schemas: &mut Schemas, binding: &Binding) -> Option<Value> {
    let input = &binding.rpc.input;
    let (schema, required) = match &binding.body {
        Body::None => return None,
        Body::Whole => {
            let is_in_path = |name: &str| binding.variables.iter().any(|variable| variable.original() == name);
            let schema = if input.fields().any(|field| is_in_path(field.name())) {
                schemas.object(input, Usage::Body, &|field| !is_in_path(field.name()))
            } else {
                schemas.message(input, Usage::Body)
            };
            let mut rest = input.fields().filter(|field| !is_in_path(field.name()));
            (schema, rest.any(|field| schemas.annotations.has_behavior(&field, FieldBehavior::Required)))
        }
        Body::Field(field) => {
            let schema = match field.kind().as_message() {
                Some(message) if binding.method == Method::PATCH && binding.update_mask.is_some() => {
                    schemas.message(message, Usage::Patch)
                }
                Some(message) => schemas.message(message, Usage::Body),
                None => schemas.field(field, Usage::Body),
            };
            (schema, schemas.annotations.has_behavior(field, FieldBehavior::Required))
        }
    };
    let mut content = json!({"schema": schema});
    if let Some(example) = example(schemas, binding) {
        content["example"] = example;
    }
    Some(json!({"required": required, "content": {"application/json": content}}))
}

/// What "Execute" sends: a resource with its fields filled; of a change, one field, so that nothing else is lost by it.
fn example(schemas: &Schemas, binding: &Binding) -> Option<Value> {
    let Body::Field(field) = &binding.body else { return Some(json!({})) };
    let mut example = schemas.example(field.kind().as_message()?)?;
    if let (Some(fields), Some(_)) = (example.as_object_mut(), &binding.update_mask) {
        let owner = fields.remove_entry("owner");
        if owner.is_some() {
            *fields = owner.into_iter().collect();
        }
    }
    Some(example)
}
