//! Reading a message's fields: those that are to be changed, and no others.

use crm_values::Flaw;

use crate::Violations;

/// Most items of a list of texts.
const MOST_ITEMS: usize = 10;

/// Which fields of a message are read, and what was wrong with them.
#[derive(Debug)]
pub struct Reading<'a> {
    resource: &'static str,
    fields: &'a [&'static str],
    found: &'a mut Violations,
}

impl<'a> Reading<'a> {
    /// Reads `fields` of the message that requests call `resource`.
    pub(crate) fn new(resource: &'static str, fields: &'a [&'static str], found: &'a mut Violations) -> Self {
        Self { resource, fields, found }
    }

    /// Puts the field's value into its place. A field that is not to be changed is not looked at.
    pub fn set<T>(&mut self, field: &'static str, place: &mut T, value: impl FnOnce() -> Result<T, Flaw>) {
        if let Some(value) = self.get(field, value) {
            *place = value;
        }
    }

    /// The field's value, if it is to be changed and right.
    pub fn get<T>(&mut self, field: &'static str, value: impl FnOnce() -> Result<T, Flaw>) -> Option<T> {
        if !self.fields.contains(&field) {
            return None;
        }
        value().map_err(|flaw| self.found.add(&format!("{}.{field}", self.resource), flaw)).ok()
    }

    /// Up to ten texts, none twice. One that is in its place already is not looked at: it may be older than a rule.
    pub fn set_each(
        &mut self,
        field: &'static str,
        place: &mut Vec<String>,
        texts: &[String],
        parse: fn(&str) -> Result<String, Flaw>,
    ) {
        if !self.fields.contains(&field) {
            return;
        }
        let path = format!("{}.{field}", self.resource);
        if texts.len() > MOST_ITEMS {
            self.found.add(&path, Flaw::new(Flaw::TOO_LONG, "must have at most 10 items"));
        }
        let mut kept = Vec::with_capacity(texts.len().min(MOST_ITEMS));
        for (index, text) in texts.iter().enumerate().take(MOST_ITEMS) {
            let value = if place.contains(text) { Ok(text.clone()) } else { parse(text) };
            let value = self.found.check(&format!("{path}[{index}]"), value);
            if !kept.contains(&value) {
                kept.push(value);
            }
        }
        *place = kept;
    }
}
