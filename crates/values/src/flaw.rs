//! What is wrong with one value.

use std::borrow::Cow;

/// Why a value was refused: a stable reason for programs and a sentence for people.
///
/// The sentence states the rule and never repeats the value, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Stable, in `SCREAMING_SNAKE_CASE`.
    pub reason: &'static str,
    /// The rule that was broken.
    pub description: Cow<'static, str>,
}

/// Reasons that a single field's violation gives, and when each is given.
pub const FIELD_REASONS: &[(&str, &str)] = &[
    (Flaw::REQUIRED, "a value that must be there is not"),
    (Flaw::TOO_LONG, "a text has more characters, or a list more items, than allowed"),
    (Flaw::FORBIDDEN_CHARACTER, "a text holds characters that no text may hold"),
    (Flaw::MALFORMED, "a value does not have the form of its kind"),
    (Flaw::OUT_OF_RANGE, "a number lies outside its range"),
    (Flaw::IMMUTABLE, "a field that is fixed at creation was given another value"),
    (Flaw::CONTRADICTION, "two fields exclude each other"),
    (Flaw::NOT_THERE, "an id is that of no record that is there"),
    (Flaw::UNKNOWN_FIELD, "a mask names a field, or a record has a value of an attribute, that does not exist"),
];

impl Flaw {
    /// A value that must be there is not.
    pub const REQUIRED: &'static str = "FIELD_REQUIRED";
    /// A text has more characters, or a list more items, than allowed.
    pub const TOO_LONG: &'static str = "TOO_LONG";
    /// A text holds control characters, NUL for example.
    pub const FORBIDDEN_CHARACTER: &'static str = "FORBIDDEN_CHARACTER";
    /// A value does not have the form of its kind.
    pub const MALFORMED: &'static str = "MALFORMED";
    /// A number lies outside its range.
    pub const OUT_OF_RANGE: &'static str = "OUT_OF_RANGE";
    /// A field that is fixed at creation was given another value.
    pub const IMMUTABLE: &'static str = "IMMUTABLE";
    /// Two fields exclude each other.
    pub const CONTRADICTION: &'static str = "CONTRADICTION";
    /// An id is that of no record that is there.
    pub const NOT_THERE: &'static str = "NOT_THERE";
    /// A mask names a field, or a record has a value of an attribute, that does not exist.
    pub const UNKNOWN_FIELD: &'static str = "UNKNOWN_FIELD";

    /// A flaw with its reason and its rule.
    pub fn new(reason: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, description: description.into() }
    }

    /// The value does not have the form of its kind.
    pub fn malformed(description: &'static str) -> Self {
        Self::new(Self::MALFORMED, description)
    }

    /// A value is needed here.
    pub fn missing() -> Self {
        Self::new(Self::REQUIRED, "is required")
    }
}
