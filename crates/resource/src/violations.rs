//! Collecting what is wrong with a request.

use crm_server::problem::Violation;
use crm_values::Flaw;

use crate::Error;

/// Most violations that are reported: they travel in a trailer, and trailers have a longest length.
const MOST: usize = 30;

/// What is wrong with a request so far.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The value, or its default after noting the flaw under `field`.
    pub fn check<T: Default>(&mut self, field: &str, value: Result<T, Flaw>) -> T {
        value.unwrap_or_else(|flaw| {
            self.add(field, flaw);
            T::default()
        })
    }

    /// Notes a flaw.
    pub fn add(&mut self, field: &str, flaw: Flaw) {
        if self.0.len() < MOST {
            self.0.push(Violation::new(field, flaw.reason, flaw.description));
        }
    }

    /// Whether nothing was wrong with `field` or a part of it.
    pub fn is_clear(&self, field: &str) -> bool {
        !self.0.iter().any(|violation| violation.field.starts_with(field))
    }

    /// `value`, if nothing was wrong.
    ///
    /// # Errors
    /// All violations.
    pub fn finish<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(value) } else { Err(Error::Invalid(self.0)) }
    }

    /// All of them.
    pub(crate) fn into_all(self) -> Vec<Violation> {
        self.0
    }

    /// All of them, and that there is no `field`.
    pub(crate) fn and_missing(mut self, field: &str) -> Error {
        self.add(field, Flaw::missing());
        Error::Invalid(self.0)
    }
}
