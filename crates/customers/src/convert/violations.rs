//! Collecting what is wrong with a request.

use crm_server::problem::Violation;

use crate::domain::Fault;
use crate::error::Error;

/// Most violations that are reported: they travel in a trailer, and trailers have a longest length.
const MOST: usize = 30;

/// What is wrong with a request so far.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    /// The value, or its default after noting the fault under `field`.
    pub(super) fn check<T: Default>(&mut self, field: &str, value: Result<T, Fault>) -> T {
        value.unwrap_or_else(|fault| {
            self.add(field, fault);
            T::default()
        })
    }

    /// Notes a fault.
    pub(super) fn add(&mut self, field: &str, fault: Fault) {
        if self.0.len() < MOST {
            self.0.push(violation(field, fault));
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

/// A fault of a field.
fn violation(field: &str, fault: Fault) -> Violation {
    Violation::new(field, fault.reason, fault.description)
}
