//! JSON as it was written: keys in their order and as often as they came, numbers digit by digit.

use std::borrow::Cow;

use serde_json::Value;

use super::number;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// Of JSON's grammar, and of any length.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl Json<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What an object has under a name, the first if it comes again.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|(known, _)| known == name).map(|(_, json)| json)
    }

    /// Names of an object's values, in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let entries = if let Self::Object(entries) = self { entries.as_slice() } else { &[] };
        entries.iter().map(|(name, _)| &**name)
    }

    /// Whether doubles keep all digits of its numbers.
    pub(crate) fn fits_doubles(&self) -> bool {
        match self {
            Self::Number(text) => number::fits_double(text),
            Self::Array(items) => items.iter().all(Self::fits_doubles),
            Self::Object(entries) => entries.iter().all(|(_, json)| json.fits_doubles()),
            _ => true,
        }
    }

    /// The same for a library; none where a number lies beyond the largest double.
    pub(crate) fn to_value(&self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => Value::Number(text.parse().ok()?),
            Self::String(text) => Value::String(text.to_string()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_value).collect::<Option<_>>()?),
            Self::Object(entries) => {
                let entries = entries.iter().map(|(name, json)| Some((name.to_string(), json.to_value()?)));
                Value::Object(entries.collect::<Option<_>>()?)
            }
        })
    }
}

impl<'a> From<&'a Value> for Json<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string().into()),
            Value::String(text) => Self::String(text.into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(entries) => {
                Self::Object(entries.iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}
