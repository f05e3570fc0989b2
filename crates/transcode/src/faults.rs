//! Collects what is wrong with one request.

use crate::{RequestError, Violation};

/// Violations so far, bounded.
#[derive(Debug)]
pub(crate) struct Faults {
    violations: Vec<Violation>,
    max: usize,
    left_out: usize,
}

impl Faults {
    pub(crate) fn new(max: usize) -> Self {
        Self { violations: Vec::new(), max: max.max(1), left_out: 0 }
    }

    pub(crate) fn add(&mut self, reason: &'static str, field: &str, description: impl Into<String>) {
        if self.violations.len() < self.max {
            let field = if field.is_empty() { "body".to_owned() } else { shorten(field) };
            self.violations.push(Violation { field, description: description.into(), reason });
        } else {
            self.left_out += 1;
        }
    }

    pub(crate) fn invalid(&mut self, field: &str, description: impl Into<String>) {
        self.add("INVALID_VALUE", field, description);
    }

    pub(crate) fn unknown(&mut self, field: &str) {
        self.add("UNKNOWN_FIELD", field, "no such field");
    }

    pub(crate) fn conflict(&mut self, field: &str, description: impl Into<String>) {
        self.add("CONFLICTING_VALUE", field, description);
    }

    pub(crate) fn finish(mut self) -> Result<(), RequestError> {
        if self.left_out > 0 {
            let description = format!("{} more faults are left out", self.left_out);
            self.violations.push(Violation { field: String::new(), description, reason: "INVALID_REQUEST" });
        }
        if self.violations.is_empty() { Ok(()) } else { Err(RequestError { violations: self.violations }) }
    }
}

/// A name that a caller made up is not echoed at length.
fn shorten(field: &str) -> String {
    const MAX_CHARACTERS: usize = 200;
    match field.char_indices().nth(MAX_CHARACTERS) {
        Some((at, _)) => format!("{}…", field.get(..at).unwrap_or_default()),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_bounded_and_the_rest_counted() {
        let mut faults = Faults::new(2);
        for _ in 0..5 {
            faults.unknown(&"x".repeat(1000));
        }
        let violations = faults.finish().unwrap_err().violations;
        assert_eq!(violations.len(), 3);
        assert_eq!(violations[0].field.chars().count(), 201);
        assert_eq!(violations[2].description, "3 more faults are left out");
    }
}
