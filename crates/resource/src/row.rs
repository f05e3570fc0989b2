//! A row as it is written: one list of columns, from which insert, update and search keys are made.
//!
//! Name and value stand side by side. Names in one text and values bound by their places elsewhere would let two texts
//! be swapped without anybody noticing.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `text`
    Text(Option<String>),
    /// `text[]`
    Texts(Vec<String>),
    /// `integer`
    Integer(Option<i32>),
    /// `bigint`
    Bigint(Option<i64>),
    /// `boolean`
    Boolean(bool),
    /// `uuid`
    Uuid(Option<Uuid>),
}

/// Which part a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Field,
    Key,
    Parameter,
}

/// The columns of a record, in the order in which they are written.
#[derive(Debug, Default)]
pub struct Row(Vec<(&'static str, Part, Value)>);

impl Row {
    /// A column that holds what callers set, and is read again.
    pub fn set(&mut self, column: &'static str, value: impl Into<Value>) {
        self.0.push((column, Part::Field, value.into()));
    }

    /// A column that is made of others, for lists to compare.
    pub fn key(&mut self, column: &'static str, value: String) {
        self.0.push((column, Part::Key, Value::Text(Some(value))));
    }

    /// No column: a value for what stands beside the row, see [`Kind`](crate::Kind).
    pub fn parameter(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, Part::Parameter, value.into()));
    }

    /// The columns that are read again.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, part, _)| *part == Part::Field).map(|(name, ..)| *name)
    }

    /// All columns that are written, with the number that each has among the values.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.numbered().filter(|(_, part, _)| *part != Part::Parameter).map(|(name, _, number)| (name, number))
    }

    /// Parameters with their numbers.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.numbered().filter(|(_, part, _)| *part == Part::Parameter).map(|(name, _, number)| (name, number))
    }

    /// Keys with their columns.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = self.0.iter().filter(|(_, part, _)| *part == Part::Key);
        keys.filter_map(|(name, _, value)| Some((*name, text(value)?)))
    }

    /// The text of a column, empty if it has none.
    pub(crate) fn text(&self, column: &str) -> &str {
        let found = self.0.iter().find(|(name, part, _)| *name == column && *part != Part::Parameter);
        found.and_then(|(.., value)| text(value)).unwrap_or_default()
    }

    /// Binds all values.
    pub(crate) fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        self.0.into_iter().fold(query, |query, (_, _, value)| match value {
            Value::Text(text) => query.bind(text),
            Value::Texts(texts) => query.bind(texts),
            Value::Integer(number) => query.bind(number),
            Value::Bigint(number) => query.bind(number),
            Value::Boolean(truth) => query.bind(truth),
            Value::Uuid(id) => query.bind(id),
        })
    }

    fn numbered(&self) -> impl Iterator<Item = (&'static str, Part, usize)> {
        // The tenant is $1, the id $2.
        self.0.iter().zip(3..).map(|((name, part, _), number)| (*name, *part, number))
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => text.as_deref(),
        _ => None,
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&Vec<String>> for Value {
    fn from(texts: &Vec<String>) -> Self {
        Self::Texts(texts.clone())
    }
}

impl From<Option<i32>> for Value {
    fn from(number: Option<i32>) -> Self {
        Self::Integer(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Bigint(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Uuid(Some(id))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(id: Option<Uuid>) -> Self {
        Self::Uuid(id)
    }
}
