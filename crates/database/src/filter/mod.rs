//! Filters: a bounded subset of AIP-160.
//!
//! Comparisons joined by `AND`, in brackets or not: `owner = "ada" AND update_time >= "2026-01-31T00:00:00Z"`.
//! `tag_ids:"…"` asks of a field with several values whether it has one.
//! What indexes cannot answer (`OR`, `NOT`, functions, bare words) is refused by name and place. Input is hostile until
//! parsed: its length, its depth and the number of comparisons are bounded.

mod error;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod value;

pub use error::FilterError;
pub use parser::parse;

pub(crate) use error::one_of;
pub(crate) use lexer::{Lexer, Token, TokenKind};

use time::OffsetDateTime;
use uuid::Uuid;

/// A field that a list can be filtered by.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Name in the filter, such as `update_time`.
    pub name: &'static str,
    /// What it is compared with.
    pub kind: Kind,
    /// Operators that the list's indexes can answer.
    pub operators: &'static [Operator],
}

/// Kinds of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, compared exactly.
    Text,
    /// Text, compared exactly or, written `"Acme*"`, by its beginning.
    TextPrefix,
    /// UUID.
    Uuid,
    /// RFC 3339 time.
    Timestamp,
    /// Whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Values of any kind, each under a key that is written behind the name: `attributes.tier`.
    Entries,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`, of a field with several values: it has this one among them.
    Has,
}

/// A value, already of its field's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The whole text.
    Text(String),
    /// The beginning of a text; never empty.
    Prefix(String),
    /// A UUID.
    Uuid(Uuid),
    /// A time.
    Timestamp(OffsetDateTime),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// What is compared with the value under a key, as it is written: whoever knows of what kind that is reads it.
    Entry {
        /// The key; never empty.
        key: String,
        /// What is written.
        text: String,
        /// Where the value begins, in characters from 1.
        position: usize,
    },
}

/// One comparison of a filter; all of them must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Name of the field, from its specification.
    pub field: &'static str,
    /// Comparison.
    pub operator: Operator,
    /// Value to compare with.
    pub value: Value,
}

impl Operator {
    /// All comparisons, for fields that can be compared in any way.
    pub const ALL: &'static [Self] =
        &[Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    /// As it is written in a filter; but for `!=` and `:`, in SQL as well.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Has => ":",
        }
    }
}
