//! Keys that an object has more than once: which of the two counts would be the reader's guess (RFC 8259, 4).

use std::collections::HashSet;

use super::Json;
use crate::faults::Faults;

/// Where the walk is, from the leaf up; written out only for what is at fault.
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Root(&'a str),
    Key(&'a str),
    Index(usize),
}

/// Notes every key that comes again, wherever it stands. `path` stands before the names.
pub(crate) fn refuse(json: &Json<'_>, path: &str, faults: &mut Faults) {
    walk(json, &Place { above: None, step: Step::Root(path) }, faults);
}

/// The parser has bounded the depth.
fn walk(json: &Json<'_>, place: &Place<'_>, faults: &mut Faults) {
    match json {
        Json::Object(entries) => {
            let mut seen = HashSet::with_capacity(entries.len());
            for (name, json) in entries {
                let place = Place { above: Some(place), step: Step::Key(name) };
                if !seen.insert(name) {
                    faults.conflict(&place.text(), "is given more than once");
                }
                walk(json, &place, faults);
            }
        }
        Json::Array(items) => {
            for (index, json) in items.iter().enumerate() {
                walk(json, &Place { above: Some(place), step: Step::Index(index) }, faults);
            }
        }
        _ => {}
    }
}

impl Place<'_> {
    fn text(&self) -> String {
        let above = self.above.map(Place::text).unwrap_or_default();
        match self.step {
            Step::Root(path) => path.to_owned(),
            Step::Key(name) => super::join(&above, name),
            Step::Index(index) => format!("{above}[{index}]"),
        }
    }
}
