//! Collecting what is wrong with a request.

use crm_server::problem::Violation;
use crm_values::Flaw;

use crate::error::Error;

/// Most violations that are reported: they travel in a trailer, and trailers have a longest length.
const MOST: usize = 30;

/// What is wrong with a request so far.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    /// The value, or its default after noting the flaw under `field`.
    pub(super) fn check<T: Default>(&mut self, field: &str, value: Result<T, Flaw>) -> T {
        value.unwrap_or_else(|flaw| {
            self.add(field, flaw);
            T::default()
        })
    }

    /// Notes a flaw.
    pub(super) fn add(&mut self, field: &str, flaw: Flaw) {
        if self.0.len() < MOST {
            self.0.push(violation(field, flaw));
        }
    }

    /// Whether nothing was wrong with `field` or a part of it.
    pub(super) fn is_clear(&self, field: &str) -> bool {
        !self.0.iter().any(|violation| violation.field.starts_with(field))
    }

    /// The refusal.
    pub(super) fn into_error(self) -> Error {
        Error::Invalid(self.0)
    }

    /// `value`, if nothing was wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(value) } else { Err(Error::Invalid(self.0)) }
    }
}

/// A flaw of a field.
fn violation(field: &str, flaw: Flaw) -> Violation {
    Violation::new(field, flaw.reason, flaw.description)
}
