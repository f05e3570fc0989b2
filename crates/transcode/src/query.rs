//! Query parameters: every leaf of the request message that neither path nor body binds.

use std::collections::HashSet;

use prost_reflect::DynamicMessage;

use crate::{
    binding::{Binding, Body},
    faults::Faults,
    field_path::FieldPath,
    json, percent,
};

/// Sets what the parameters say; repeating a parameter fills a list, and is refused for anything else.
pub(crate) fn apply(binding: &Binding, query: &str, message: &mut DynamicMessage, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (percent::decode_query(name), percent::decode_query(value)) {
            (Some(name), _) if name.is_empty() => {
                faults.add("UNKNOWN_FIELD", "query", "holds a parameter without a name");
            }
            (Some(name), Some(value)) => apply_one(binding, &name, &value, message, &mut seen, faults),
            (Some(name), None) => faults.invalid(&name, "is not percent-encoded UTF-8"),
            (None, _) => faults.invalid("query", "holds a name that is not percent-encoded UTF-8"),
        }
    }
}

fn apply_one(
    binding: &Binding,
    name: &str,
    value: &str,
    message: &mut DynamicMessage,
    seen: &mut HashSet<String>,
    faults: &mut Faults,
) {
    let Some(path) = FieldPath::resolve(&binding.rpc.input, name) else { return faults.unknown(name) };
    let Some(leaf) = path.leaf() else { return };
    if let Some(elsewhere) = bound_elsewhere(binding, &path) {
        return faults.conflict(name, elsewhere);
    }
    if !leaf.is_list() && !seen.insert(path.original()) {
        return faults.conflict(name, "is given more than once");
    }
    if let Some(other) = path.conflicting_choice(message) {
        return faults.conflict(name, format!("cannot be given together with {other}"));
    }
    match json::read_text(leaf, value) {
        Ok(value) if leaf.is_list() => path.append(message, value),
        Ok(value) => path.set(message, value),
        Err(expected) => faults.invalid(name, expected),
    }
}

fn bound_elsewhere(binding: &Binding, path: &FieldPath) -> Option<&'static str> {
    if binding.variables.iter().any(|variable| variable.overlaps(path) && variable.fields.len() <= path.fields.len()) {
        return Some("is given by the path");
    }
    match &binding.body {
        Body::None => None,
        Body::Whole => Some("belongs into the body"),
        Body::Field(field) => (path.fields.first() == Some(field)).then_some("belongs into the body"),
    }
}
