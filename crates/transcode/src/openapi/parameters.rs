//! Parameters of an operation: path, query, header.

use crm_proto::google::api::FieldBehavior;
use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::{
    path::{self, PathVariable},
    schema::{Schemas, Usage},
};
use crate::{
    binding::{Binding, Body},
    events::LAST_EVENT_ID_SHOWN,
    json::WellKnown,
};

/// Messages nested deeper are not unfolded into query parameters in the document, though they are served.
const MAX_QUERY_DEPTH: usize = 4;

/// Says of the mask what holds over REST, where the body shows which fields are meant.
const DERIVED_MASK: &str = "Fields to change, joined by commas. Left out: the fields whose keys the body has. \
                            `*`: all fields that can be changed.";

/// Executed twice it is one request.
const REQUEST_ID: &str = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";

const IF_MATCH: &str = "Entity tags of the states in which the call is wanted, as `ETag` told them, or `*`. \
                        In another state it is refused with 412. Stands for `etag`; where both are given, they must agree.";
const IF_NONE_MATCH: &str =
    "Entity tags that the caller has; if the state is one of them, the answer is 304 without a body.";

const LAST_EVENT_ID: &str = "The id of the event that was read last, as browsers send it when they come again. \
                             Stands above what the query says.";

pub(super) fn all(schemas: &mut Schemas, binding: &Binding, names: &[PathVariable]) -> Vec<Value> {
    let mut parameters: Vec<_> = names.iter().map(|one| path_parameter(schemas, binding, one)).collect();
    if !matches!(binding.body, Body::Whole) {
        let mut query = Query { schemas, binding, found: &mut parameters, above: Vec::new() };
        query.unfold(&binding.rpc.input, "");
    }
    if binding.request_id.is_some() {
        parameters.push(shared("IdempotencyKey"));
    }
    if binding.rpc.resume.is_some() {
        parameters.push(shared("LastEventId"));
    }
    if takes_if_match(binding) {
        parameters.push(shared("IfMatch"));
    }
    if takes_if_none_match(binding) {
        parameters.push(shared("IfNoneMatch"));
    }
    parameters
}

/// Whether the state of its resource can be made a condition: of a write by its etag, of a read by the answer's.
pub(super) fn takes_if_match(binding: &Binding) -> bool {
    if binding.method == Method::GET { binding.rpc.etag.is_some() } else { binding.etag.is_some() }
}

/// Whether an answer can be spared to a caller who has it.
pub(super) fn takes_if_none_match(binding: &Binding) -> bool {
    binding.method == Method::GET && binding.rpc.etag.is_some()
}

fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

/// Headers that several operations take.
pub(super) fn components() -> Value {
    json!({
        "IdempotencyKey": header("Idempotency-Key", "Stands in for `requestId`; where both are given, they must be the same."),
        "LastEventId": header(LAST_EVENT_ID_SHOWN, LAST_EVENT_ID),
        "IfMatch": tags("If-Match", IF_MATCH),
        "IfNoneMatch": tags("If-None-Match", IF_NONE_MATCH),
    })
}

fn header(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}})
}

/// Entity tags as `entity_tag.rs` reads them, or `*`; as many as a condition may name.
fn tags(name: &str, description: &str) -> Value {
    const TAG: &str = r#"(W/)?"[!#-~]*""#;
    let mut header = header(name, description);
    header["schema"]["minLength"] = 1.into();
    header["schema"]["pattern"] = format!(r"^(\*|{TAG}(, {TAG}){{0,9}})$").into();
    header
}

fn path_parameter(schemas: &mut Schemas, binding: &Binding, one: &PathVariable) -> Value {
    let variable = one.variable.and_then(|index| binding.template.variables.get(index));
    let field = one.variable.and_then(|index| binding.variables.get(index)).and_then(|path| path.leaf());
    let mut schema = match (variable, field) {
        (Some(variable), Some(field)) if path::is_whole(&binding.template, variable) => {
            schemas.field(field, Usage::Path)
        }
        _ => json!({"type": "string"}),
    };
    // A description belongs to the parameter, and what the path names is not read-only there.
    let description = schema.as_object_mut().and_then(|schema| {
        schema.remove("readOnly");
        schema.remove("description")
    });
    let mut parameter = json!({"name": one.name, "in": "path", "required": true, "schema": schema});
    if let Some(description) = description {
        parameter["description"] = description;
    }
    if one.takes_rest {
        parameter["description"] = "All that is left of the path; may hold slashes.".into();
    }
    parameter
}

struct Query<'a> {
    schemas: &'a mut Schemas,
    binding: &'a Binding,
    found: &'a mut Vec<Value>,
    /// Messages that are being unfolded; one that holds itself ends here.
    above: Vec<MessageDescriptor>,
}

impl Query<'_> {
    fn unfold(&mut self, message: &MessageDescriptor, prefix: &str) {
        if self.above.contains(message) || self.above.len() >= MAX_QUERY_DEPTH {
            return;
        }
        self.above.push(message.clone());
        for field in message.fields() {
            let name = format!("{prefix}{}", field.json_name());
            if !self.is_bound(&field, &name) {
                self.add(&field, &name);
            }
        }
        self.above.pop();
    }

    fn is_bound(&self, field: &FieldDescriptor, name: &str) -> bool {
        self.binding.variables.iter().any(|variable| variable.json() == name)
            || matches!(&self.binding.body, Body::Field(body) if body == field)
    }

    fn add(&mut self, field: &FieldDescriptor, name: &str) {
        if field.is_map() {
            return;
        }
        match field.kind() {
            Kind::Message(inner) if WellKnown::of(&inner).is_none() => {
                if !field.is_list() {
                    self.unfold(&inner, &format!("{name}."));
                }
            }
            Kind::Message(inner) if !is_text(&inner) => {}
            _ => self.push(field, name),
        }
    }

    fn push(&mut self, field: &FieldDescriptor, name: &str) {
        let mut schema = self.schemas.field(field, Usage::Parameter);
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({"name": name, "in": "query", "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        if self.binding.update_mask.as_ref() == Some(field) {
            parameter["description"] = DERIVED_MASK.into();
            parameter["schema"] = self.mask();
        }
        if self.binding.request_id.as_ref() == Some(field) {
            parameter["example"] = REQUEST_ID.into();
        }
        // Deeper fields are only required if the message that holds them is given.
        if self.above.len() == 1 && self.schemas.annotations.has_behavior(field, FieldBehavior::Required) {
            parameter["required"] = true.into();
        }
        self.found.push(parameter);
    }
}

impl Query<'_> {
    /// The fields that a change can name; without an example, which "Execute" would send along with the body's.
    fn mask(&self) -> Value {
        let Body::Field(body) = &self.binding.body else { return json!({"type": "string"}) };
        let Some(resource) = body.kind().as_message().cloned() else { return json!({"type": "string"}) };
        let names: Vec<_> = resource.fields().map(|field| field.json_name().to_owned()).collect();
        let name = format!("({})", names.join("|"));
        json!({"type": "string", "pattern": format!(r"^(\*|({name}(,{name})*)?)$")})
    }
}

/// Well-known types that one text says.
fn is_text(message: &MessageDescriptor) -> bool {
    use WellKnown::{Duration, FieldMask, Timestamp, Wrapper};
    matches!(WellKnown::of(message), Some(Timestamp | Duration | FieldMask | Wrapper))
}
