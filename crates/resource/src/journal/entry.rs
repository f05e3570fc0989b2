//! An entry of the journal: how it is made of two states of a record, and what it is for readers.

use std::collections::{BTreeMap, BTreeSet};

use crm_proto::journal::{self as pb, change};
use crm_proto::standard::{Attributes, Resource, any_json};
use crm_telemetry::propagation::traceparent;
use crm_values::Etag;
use serde_json::{Map, Value};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{FromRow, Postgres};
use time::OffsetDateTime;
use tracing::Span;
use uuid::Uuid;

use crate::resource::timestamp;
use crate::{Call, Error, Kind};

/// What the journal has in the place of a field where a record comes to stand for another.
pub(crate) const MERGED_INTO: &str = "merged_into";

/// Which fields were changed, from what to what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Difference {
    changes: Map<String, Value>,
    /// Of those that say something of a person.
    personal: Map<String, Value>,
}

impl Difference {
    /// Between two states, or of what was not there before. Only what callers may set: the rest follows from it.
    pub(crate) fn between<M: Resource>(before: Option<&M>, after: &M) -> Self {
        let mut all = Self::default();
        for field in M::FIELDS {
            if let Some(now) = after.attributes().filter(|_| *field == "attributes") {
                let before = before.and_then(M::attributes);
                let part = if M::PERSONAL.contains(field) { &mut all.personal } else { &mut all.changes };
                part.extend(attribute_changes(before, now));
                continue;
            }
            let is_same = before.map_or(!after.is_set(field), |before| after.is_same(before, field));
            if !is_same {
                let from = before.map_or(Value::Null, |before| before.value(field));
                let part = if M::PERSONAL.contains(field) { &mut all.personal } else { &mut all.changes };
                part.insert((*field).to_owned(), Value::Array(vec![from, after.value(field)]));
            }
        }
        all
    }

    /// What was changed, and what of it says something of a person.
    pub(crate) fn parts(self) -> (Value, Option<Value>) {
        let personal = (!self.personal.is_empty()).then_some(Value::Object(self.personal));
        (Value::Object(self.changes), personal)
    }

    /// Of a field that is an id, or of what the journal tells in the place of one.
    pub(crate) fn of_ids(field: &str, before: Option<Uuid>, after: Option<Uuid>) -> Self {
        let value = |id: Option<Uuid>| id.map_or(Value::Null, |id| Value::String(id.to_string()));
        let changes = [(field.to_owned(), Value::Array(vec![value(before), value(after)]))].into_iter().collect();
        Self { changes, personal: Map::new() }
    }

    /// Binds the entry's values, in the order in which [`columns`] has them.
    pub(crate) fn bind<'q>(
        self,
        query: Query<'q, Postgres, PgArguments>,
        call: &Call,
    ) -> Query<'q, Postgres, PgArguments> {
        let (changes, personal) = self.parts();
        let (subject, role) = (call.caller.subject.clone(), call.caller.role.as_str());
        let query = query.bind(subject).bind(role).bind(changes).bind(personal);
        query.bind(traceparent(&Span::current()))
    }

    /// Who makes changes that a statement knows by itself, in the order in which [`insert_many`] has them.
    pub(crate) fn bind_author<'q>(
        query: Query<'q, Postgres, PgArguments>,
        call: &Call,
    ) -> Query<'q, Postgres, PgArguments> {
        let (subject, role) = (call.caller.subject.clone(), call.caller.role.as_str());
        query.bind(subject).bind(role).bind(traceparent(&Span::current()))
    }
}

/// Each attribute is a field of its own: `attributes.tier`.
fn attribute_changes(before: Option<&Attributes>, now: &Attributes) -> Map<String, Value> {
    let value = |of: Option<&Attributes>, key: &str| of.and_then(|of| of.get(key)).map_or(Value::Null, any_json);
    let keys: BTreeSet<&String> = before.into_iter().flat_map(BTreeMap::keys).chain(now.keys()).collect();
    let changes = keys.into_iter().map(|key| (key, value(before, key), value(Some(now), key)));
    let changes = changes.filter(|(_, from, to)| from != to);
    changes.map(|(key, from, to)| (format!("attributes.{key}"), Value::Array(vec![from, to]))).collect()
}

/// An entry for each row of `changed`, as a statement that stands beside the change. `what` is an expression; the values
/// are parameters from `first` on.
pub(crate) fn insert(kind: &Kind, what: &str, first: usize) -> String {
    let [subject, role, changes, personal, traceparent] = [0, 1, 2, 3, 4].map(|nth| first + nth);
    let (column, reader) = if kind.private { (", reader", ", nullif(reader, '')") } else { ("", "") };
    format!(
        "insert into {}.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, \
         changes, personal, traceparent{column}) select $1, '{}', id, version, {what}, update_time, ${subject}, ${role}, \
         ${changes}, ${personal}, ${traceparent}{reader} from changed",
        kind.schema(),
        kind.plural
    )
}

/// The same, of rows of `changed` that have changes of their own beside them.
pub(crate) fn insert_many(schema: &str, resource: &str, what: &str, first: usize) -> String {
    let [subject, role, traceparent] = [0, 1, 2].map(|nth| first + nth);
    format!(
        "insert into {schema}.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, \
         changes, personal, traceparent) select $1, '{resource}', id, version, '{what}', update_time, ${subject}, ${role}, \
         changes, personal, ${traceparent} from changed"
    )
}

/// A change, as it is kept.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Entry {
    /// Its place among the changes of a batch; those of one record are in the order of its versions.
    pub sequence: i64,
    /// What was changed, as in the paths of the API.
    pub resource: String,
    /// Which one.
    pub record_id: Uuid,
    /// What it is since.
    pub version: i64,
    kind: String,
    /// Who.
    pub subject: String,
    /// In which role.
    pub role: String,
    /// When.
    pub change_time: OffsetDateTime,
    changes: Value,
    personal: Option<Value>,
    /// The span of the call that made the change, if its trace is kept: to be linked to.
    pub traceparent: Option<String>,
    erased: bool,
    /// Who alone may be told of it; everybody, if none.
    pub reader: Option<String>,
    transaction: String,
}

impl Entry {
    /// The id of the transaction that wrote it.
    pub(crate) fn transaction(&self) -> Result<u64, Error> {
        self.transaction.parse().map_err(|_| Error::Inconsistent("an id of a transaction is no number"))
    }

    /// Leaves nothing but that there was something.
    pub(super) fn erase(&mut self) {
        (self.changes, self.personal, self.erased) = (Value::Object(Map::new()), None, true);
    }

    /// About as much as its message takes.
    pub(crate) fn size(&self) -> usize {
        const REST: usize = 200;
        REST + size(&self.changes) + self.personal.as_ref().map_or(0, size)
    }

    /// As readers see it.
    ///
    /// # Errors
    /// It holds what this release does not understand.
    pub fn message(mut self) -> Result<pb::Change, Error> {
        let merged = self.take_merged();
        let kind = match (self.kind.as_str(), &merged) {
            (_, Some((kind, _))) => *kind,
            ("created", None) => change::Kind::Created,
            ("updated", None) => change::Kind::Updated,
            ("deleted", None) => change::Kind::Deleted,
            ("undeleted", None) => change::Kind::Undeleted,
            ("erased", None) => change::Kind::Erased,
            _ => return Err(Error::Inconsistent("a kind of change is unknown")),
        };
        let parts = [Some(self.changes), self.personal].into_iter().flatten();
        let fields: Option<Vec<Vec<_>>> = parts.map(field_changes).collect();
        let fields = fields.ok_or(Error::Inconsistent("changes of fields are not in their form"))?;
        let mut fields = fields.concat();
        fields.sort_unstable_by(|one, other| one.field.cmp(&other.field));
        Ok(pb::Change {
            resource: self.resource,
            id: self.record_id.to_string(),
            version: self.version,
            etag: Etag::of(self.version).to_string(),
            kind: kind.into(),
            subject: self.subject,
            role: self.role,
            change_time: Some(timestamp(self.change_time)),
            fields,
            traceparent: self.traceparent.unwrap_or_default(),
            reader: self.reader.unwrap_or_default(),
            erased: self.erased,
            merged_into: merged.map(|(_, other)| other).unwrap_or_default(),
        })
    }

    /// Whether it tells a merge or the undoing of one, and the other record. It is kept as a change of a field that there is
    /// not: who knows no merges reads a deletion, and its way back.
    fn take_merged(&mut self) -> Option<(change::Kind, String)> {
        let Value::Object(changes) = &mut self.changes else { return None };
        let pair = changes.remove(MERGED_INTO)?;
        let id = |index: usize| pair.get(index)?.as_str().map(str::to_owned);
        match (id(0), id(1)) {
            (_, Some(winner)) => Some((change::Kind::Merged, winner)),
            (before, None) => Some((change::Kind::Unmerged, before.unwrap_or_default())),
        }
    }
}

fn field_changes(part: Value) -> Option<Vec<pb::FieldChange>> {
    let Value::Object(fields) = part else { return None };
    let change = |(field, pair): (String, Value)| {
        let Value::Array(pair) = pair else { return None };
        let [from, to]: [Value; 2] = pair.try_into().ok()?;
        Some(pb::FieldChange { field, from: Some(message(from)), to: Some(message(to)) })
    };
    fields.into_iter().map(change).collect()
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 10,
        Value::String(text) => 5 + text.len(),
        Value::Array(items) => 5 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => fields.iter().map(|(name, value)| 10 + name.len() + size(value)).sum(),
    }
}

/// A value of JSON as a message.
fn message(value: Value) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(items) => {
            Kind::ListValue(prost_types::ListValue { values: items.into_iter().map(message).collect() })
        }
        Value::Object(fields) => Kind::StructValue(prost_types::Struct {
            fields: fields.into_iter().map(|(name, value)| (name, message(value))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
