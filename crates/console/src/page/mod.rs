//! What a person sees: the whole page at first, then the parts of it that have changed.

mod boxes;
mod calls;
mod charts;
mod feed;
mod status;
mod tour;
mod upstream;
mod whole;
mod words;

use std::hash::{DefaultHasher, Hash, Hasher};

use askama::Template;
use crm_chart::escape;

pub(crate) use tour::{Place, Stage};
pub(crate) use whole::Page;

use crate::{config::Link, room::Scene};

/// A part of the page that is replaced as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Of the element whose content it is.
    pub(crate) id: String,
    pub(crate) html: String,
    /// Another key means that it has to be replaced. Of a part that holds others, it tells only of its own: the others
    /// replace themselves, and buttons between them stay where a person's finger or focus is.
    pub(crate) key: u64,
}

impl Part {
    /// A part without parts: it is another one when its text is.
    fn leaf(id: impl Into<String>, html: String) -> Self {
        Self { key: key_of(&html), id: id.into(), html }
    }

    /// A part around others, known by its shape.
    fn around(id: impl Into<String>, html: String, shape: impl Hash) -> Self {
        Self { key: key_of(shape), id: id.into(), html }
    }
}

fn key_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Every part, those around others first.
pub(crate) fn parts(scene: &Scene, traces: Option<&Link>) -> Vec<Part> {
    let mut parts = vec![status::part(scene), upstream::list(scene)];
    for upstream in &scene.upstreams {
        parts.extend(upstream::parts(upstream, scene));
    }
    parts.push(feed::announcement(scene));
    parts.push(feed::part(scene));
    parts.push(calls::part(scene, traces));
    parts.extend(tour::parts(scene, traces));
    parts
}

/// A template cannot fail but for a lack of memory; a person is told all the same.
fn render(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| format!("<p>{}</p>", escape(&error.to_string())))
}

/// A name as a part of an element's id.
fn id_of(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
