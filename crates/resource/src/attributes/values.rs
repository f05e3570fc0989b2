//! Values of a record's attributes, as they are stored.

use std::collections::BTreeMap;

use crm_proto::standard::Attributes;
use prost_types::value::Kind;
use serde_json::Value;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Type};

/// By their keys. Values of deleted definitions are among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values(pub(super) BTreeMap<String, Value>);

impl Values {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each with its key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// How long they are as JSON.
    pub(super) fn bytes(&self) -> usize {
        serde_json::to_vec(&self.0).map_or(usize::MAX, |json| json.len())
    }

    /// As messages have them.
    pub(crate) fn shown(self) -> Attributes {
        self.0.into_iter().map(|(key, value)| (key, shown(value))).collect()
    }
}

pub(super) fn shown(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::String(text) => Kind::StringValue(text),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        // Nothing else is stored.
        _ => Kind::NullValue(0),
    };
    prost_types::Value { kind: Some(kind) }
}

impl Type<Postgres> for Values {
    fn type_info() -> PgTypeInfo {
        <Json<BTreeMap<String, Value>> as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Json<BTreeMap<String, Value>> as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Values {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Json::<BTreeMap<String, Value>>::decode(value)?.0))
    }
}

impl From<&Values> for crate::Value {
    fn from(values: &Values) -> Self {
        Self::Json(values.0.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
