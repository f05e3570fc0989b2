//! Lists of messages within a message, each with rules for its parts.

use std::mem::take;

use crm_values::Flaw;

use super::{Exchange, Way};
use crate::{Error, Violations};

/// One of a list, as it is read: what is wrong with it is noted under its place.
#[derive(Debug)]
pub struct Item<'a> {
    path: String,
    found: &'a mut Violations,
}

impl Item<'_> {
    /// The value of a part, or its default after noting the flaw.
    pub fn check<T: Default>(&mut self, part: &str, value: Result<T, Flaw>) -> T {
        self.found.check(&format!("{}.{part}", self.path), value)
    }
}

impl Exchange<'_> {
    /// Up to `most` messages, which are read and shown as a whole; `read` is told what was stored before.
    pub fn messages<S: Clone, M: PartialEq>(
        &mut self,
        (field, most): (&'static str, usize),
        stored: &mut Vec<S>,
        message: &mut Vec<M>,
        read: impl Fn(&M, &[S], &mut Item<'_>) -> S,
        show: impl Fn(S) -> Result<M, Error>,
    ) {
        match &mut self.0 {
            Way::Read { resource, fields, is_new, found, .. } if fields.contains(&field) => {
                let shown: Result<Vec<M>, Error> = stored.iter().cloned().map(show).collect();
                if !*is_new && shown.is_ok_and(|shown| shown == *message) {
                    return;
                }
                let path = format!("{resource}.{field}");
                if message.len() > most {
                    found.add(&path, Flaw::new(Flaw::TOO_LONG, format!("must have at most {most} items")));
                }
                let before = take(stored);
                let numbered = message.iter().take(most).enumerate();
                let mut item = |(index, it)| read(it, &before, &mut Item { path: format!("{path}[{index}]"), found });
                *stored = numbered.map(&mut item).collect();
            }
            Way::Read { .. } => {}
            Way::Show { inconsistent } => match take(stored).into_iter().map(show).collect() {
                Ok(shown) => *message = shown,
                Err(error) => *inconsistent = Some(error),
            },
        }
    }
}
