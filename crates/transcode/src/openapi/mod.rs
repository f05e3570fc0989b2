//! OpenAPI 3.1 of the routes.

mod characters;
mod comments;
mod limits;
mod operation;
mod parameters;
mod path;
mod schema;

use std::collections::{BTreeMap, HashMap, HashSet};

use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Map, Value, json};

use self::{
    path::PathVariable,
    schema::{Schemas, reference},
};
use crate::binding::Binding;

/// The document: every binding is an operation, and nothing else is.
pub(crate) fn document(pool: &DescriptorPool, bindings: &[Binding], title: &str, version: &str) -> Value {
    let mut schemas = Schemas::new(pool);
    schemas.add(operation::STATUS, status_schema());
    let paths = describe_paths(pool, bindings, &mut schemas);
    let tags = describe_tags(pool, bindings, &schemas);
    json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "parameters": parameters::components(),
            "headers": {"ETag": etag_header()},
            "responses": responses(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    })
}

fn describe_paths(pool: &DescriptorPool, bindings: &[Binding], schemas: &mut Schemas) -> Value {
    let names = names_by_shape(bindings);
    let methods = methods_by_path(pool);
    let mut ids = HashSet::new();
    let mut paths = Map::new();
    for binding in bindings {
        let Some(shared) = names.get(&path::shape(&binding.template)) else { continue };
        let mut own = path::variables(binding);
        for (own, shared) in own.iter_mut().zip(shared) {
            own.name.clone_from(&shared.name);
        }
        let id = unique_id(binding, &mut ids);
        let described = operation::describe(schemas, binding, methods.get(&binding.rpc.path), &id, &own);
        let path = paths.entry(path::with_names(&binding.template, &own)).or_insert_with(|| json!({}));
        path[binding.method.as_str().to_lowercase()] = described;
    }
    Value::Object(paths)
}

/// For routes of one shape, the names of the first.
fn names_by_shape(bindings: &[Binding]) -> HashMap<String, Vec<PathVariable>> {
    let mut names = HashMap::new();
    for binding in bindings {
        names.entry(path::shape(&binding.template)).or_insert_with(|| path::variables(binding));
    }
    names
}

fn methods_by_path(pool: &DescriptorPool) -> HashMap<String, MethodDescriptor> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), method)).collect()
}

/// `AccountService_GetAccount`; further bindings of one RPC, and namesakes of other packages, get a number.
fn unique_id(binding: &Binding, taken: &mut HashSet<String>) -> String {
    let base = format!("{}_{}", operation::short_service(&binding.rpc.service), binding.rpc.method);
    let mut id = base.clone();
    let mut number = 2_u32;
    while !taken.insert(id.clone()) {
        id = format!("{base}_{number}");
        number += 1;
    }
    id
}

fn describe_tags(pool: &DescriptorPool, bindings: &[Binding], schemas: &Schemas) -> Vec<Value> {
    let mut tags = BTreeMap::new();
    for service in pool.services() {
        if bindings.iter().any(|binding| binding.rpc.service == service.full_name()) {
            let comment = schemas.comments.find(&service.parent_file(), service.path());
            tags.entry(service.name().to_owned()).or_insert_with(|| comment.map(str::to_owned));
        }
    }
    let describe = |(name, comment): (String, Option<String>)| match comment {
        Some(comment) => json!({"name": name, "description": comment}),
        None => json!({"name": name}),
    };
    tags.into_iter().map(describe).collect()
}

fn status_schema() -> Value {
    json!({
        "type": "object",
        "description": "How a call failed.",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"type": "integer", "format": "int32", "description": "A google.rpc.Code.", "examples": [3]},
            "message": {"type": "string", "description": "For developers, in English."},
            "details": {
                "type": "array",
                "description": "BadRequest with every faulty field, ErrorInfo with its reason, RetryInfo and others.",
                "items": {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}},
            },
        },
    })
}

fn etag_header() -> Value {
    let description = "The strong tag of the resource's state, for `If-Match` and `If-None-Match`.";
    json!({"description": description, "schema": {"type": "string", "examples": ["\"v1a\""]}})
}

fn responses() -> Value {
    let error = |description: &str| {
        let content = json!({"application/json": {"schema": reference(operation::STATUS)}});
        json!({"description": description, "content": content})
    };
    json!({
        "Error": error("The call failed."),
        "NotModified": {"description": "The caller has this state already.", "headers": operation::etag_headers()},
        "PreconditionFailed": error("The resource is in none of the states that `If-Match` names."),
    })
}
