//! Path templates as OpenAPI writes them.
//!
//! OpenAPI knows only whole segments as variables, and takes `/a/{id}` and `/a/{account.id}` for the same path. So
//! routes of one shape share one path, and with it the names of its variables; a variable that spans segments becomes
//! one for each of its wildcards.

use crate::{
    binding::Binding,
    template::{Segment, Template, Variable},
};

/// A wildcard in a path.
#[derive(Debug, Clone)]
pub(super) struct PathVariable {
    pub(super) name: String,
    /// Index of the template's variable that the wildcard belongs to; `None` outside variables.
    pub(super) variable: Option<usize>,
    pub(super) takes_rest: bool,
}

/// What two routes of one path have in common: literals, wildcards and verb, without names.
pub(super) fn shape(template: &Template) -> String {
    render(template, &mut |_| "{}".to_owned())
}

/// The path under the names given.
pub(super) fn with_names(template: &Template, names: &[PathVariable]) -> String {
    let mut names = names.iter();
    render(template, &mut |_| format!("{{{}}}", names.next().map_or("", |one| one.name.as_str())))
}

/// The wildcards of a route, under its own names.
pub(super) fn variables(binding: &Binding) -> Vec<PathVariable> {
    let mut found: Vec<PathVariable> = Vec::new();
    for (at, segment) in binding.template.segments.iter().enumerate() {
        if matches!(segment, Segment::Literal(_)) {
            continue;
        }
        let variable = binding.template.variables.iter().position(|one| (one.start..one.end).contains(&at));
        let name = unique(name_of(binding, variable), &found);
        found.push(PathVariable { name, variable, takes_rest: *segment == Segment::Rest });
    }
    found
}

/// The short name of the field where it is a whole segment.
fn name_of(binding: &Binding, variable: Option<usize>) -> String {
    let path = variable.and_then(|index| binding.variables.get(index));
    path.and_then(|path| path.leaf()).map_or_else(|| "segment".to_owned(), |leaf| leaf.json_name().to_owned())
}

fn unique(name: String, taken: &[PathVariable]) -> String {
    let is_free = |name: &str| taken.iter().all(|other| other.name != name);
    if is_free(&name) {
        return name;
    }
    let numbered = (2..).map(|number| format!("{name}{number}")).find(|name| is_free(name));
    numbered.unwrap_or(name)
}

fn render(template: &Template, wildcard: &mut dyn FnMut(usize) -> String) -> String {
    let mut path = String::new();
    for (at, segment) in template.segments.iter().enumerate() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::One | Segment::Rest => path.push_str(&wildcard(at)),
        }
    }
    if let Some(verb) = &template.verb {
        path.push(':');
        path.push_str(verb);
    }
    path
}

/// Whether a wildcard is all of its variable, so that it has the field's own type.
pub(super) fn is_whole(template: &Template, variable: &Variable) -> bool {
    !template.spans_segments(variable)
}
