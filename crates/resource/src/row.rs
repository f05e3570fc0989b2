//! A row as it is written: one list of columns, from which insert, update and search keys are made.
//!
//! Name and value stand side by side. Names in one text and values bound by their places elsewhere would let two texts
//! be swapped without anybody noticing.

use serde_json::{Map, Value as Json};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
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
    Boolean(Option<bool>),
    /// `timestamptz`
    Time(Option<OffsetDateTime>),
    /// `uuid`
    Uuid(Option<Uuid>),
    /// `uuid[]`
    Uuids(Vec<Uuid>),
    /// `jsonb`
    Json(serde_json::Value),
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

    /// All values with what they are called and their types.
    pub(crate) fn typed(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().map(|(name, _, value)| {
            let of = match value {
                Value::Text(_) => "text",
                Value::Texts(_) => "text[]",
                Value::Integer(_) => "integer",
                Value::Bigint(_) => "bigint",
                Value::Boolean(_) => "boolean",
                Value::Time(_) => "timestamptz",
                Value::Uuid(_) => "uuid",
                Value::Uuids(_) => "uuid[]",
                Value::Json(_) => "jsonb",
            };
            (*name, of)
        })
    }

    /// The values as an object of JSON.
    pub(crate) fn json(self) -> Result<Map<String, Json>, time::error::Format> {
        let value = |value| -> Result<Json, time::error::Format> {
            Ok(match value {
                Value::Text(text) => text.into(),
                Value::Texts(texts) => texts.into(),
                Value::Integer(number) => number.into(),
                Value::Bigint(number) => number.into(),
                Value::Boolean(truth) => truth.into(),
                Value::Time(time) => time.map(|time| time.format(&Rfc3339)).transpose()?.into(),
                Value::Uuid(id) => id.map(|id| id.to_string()).into(),
                Value::Uuids(ids) => ids.into_iter().map(|id| id.to_string()).collect(),
                Value::Json(json) => json,
            })
        };
        self.0.into_iter().map(|(name, _, given)| Ok((name.to_owned(), value(given)?))).collect()
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
            Value::Time(time) => query.bind(time),
            Value::Uuid(id) => query.bind(id),
            Value::Uuids(ids) => query.bind(ids),
            Value::Json(json) => query.bind(json),
        })
    }

    /// The number of the first value that is not one of the row's.
    pub(crate) fn end(&self) -> usize {
        self.0.len() + 3
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

/// What becomes which value.
macro_rules! values {
    ($($type:ty: $given:pat => $value:expr,)*) => {
        $(impl From<$type> for Value {
            fn from($given: $type) -> Self {
                $value
            }
        })*
    };
}

values! {
    &String: text => Self::Text(Some(text.clone())),
    &Option<String>: text => Self::Text(text.clone()),
    &Vec<String>: texts => Self::Texts(texts.clone()),
    Option<i32>: number => Self::Integer(number),
    Option<i64>: number => Self::Bigint(number),
    bool: truth => Self::Boolean(Some(truth)),
    Option<bool>: truth => Self::Boolean(truth),
    Option<OffsetDateTime>: time => Self::Time(time),
    Uuid: id => Self::Uuid(Some(id)),
    Option<Uuid>: id => Self::Uuid(id),
    &Vec<Uuid>: ids => Self::Uuids(ids.clone()),
    serde_json::Value: json => Self::Json(json),
}
