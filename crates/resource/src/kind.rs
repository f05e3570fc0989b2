//! What is particular about a resource: its table, what lists of it can ask, what its constraints mean, how it is cached.

use crm_database::filter::{FieldSpec, Kind as ValueKind, Operator};
use crm_database::migrate::Copied;

use crate::Refusal;

/// A kind of resource, one constant each.
#[derive(Debug)]
pub struct Kind {
    /// Its name for several, such as `accounts`: of its cache, its pages and its statements.
    pub plural: &'static str,
    /// Its table, with the schema.
    pub table: &'static str,
    /// Fields that it can be filtered by.
    pub filters: &'static [Filter],
    /// Fields that it can be ordered by, the usual one first.
    pub orders: &'static [Order],
    /// There is none, or it is deleted.
    pub not_found: &'static Refusal,
    /// It cannot be brought back: it is there.
    pub not_deleted: &'static Refusal,
    /// What it means that a constraint of the table is violated; other constraints are a defect.
    pub constraints: &'static [(&'static str, &'static Refusal)],
    /// What else an insert does, as `with …`, in the same statement: one round trip, and never one without the other.
    /// Parameters of the row stand there in braces; `$1` is the tenant, `$2` the id.
    pub insert_with: &'static str,
    /// The same of an update.
    pub update_with: &'static str,
    /// The same of a deletion, and of the way back: `$3` is which. Records that have it are written one by one, and neither
    /// merged nor erased.
    pub deleted_with: &'static str,
    /// The same of an erasure, where `$2` is the ids of several rows.
    pub erase_with: &'static str,
    /// Whether a record of it is a person, who can be erased: the schema has the table of `sql/erasures.sql` then.
    pub person: bool,
    /// What the terms begin with that its records are searched by: a letter, which no other kind of the schema has.
    /// Empty, if they are not searched.
    pub terms: &'static str,
    /// Whether its records have facets: tags, or attributes that a tenant defines.
    pub facets: bool,
    /// Kinds of record that it may be about, by `parent_resource` and `parent_id`: lists leave it out while its parent is
    /// deleted.
    pub parents: &'static [&'static Kind],
    /// Whether a record of it may be one caller's alone. Its table then has a column `reader`, that names them, and is empty
    /// where everybody of the tenant may see it; [`Resource::reader`](crate::Resource::reader) says the same of a message.
    pub private: bool,
    /// Whether its records can be merged: the schema then has the tables of merges.
    pub merged: bool,
    /// What its table is a copy of, if several services have such a one.
    pub copy_of: Option<&'static Copied>,
    /// How much of it each replica keeps in memory. The hot set of a replica is a few thousand records, and the shared
    /// tier is a millisecond away. How long: ten minutes in Redis, five seconds in memory, see `entry`.
    pub cache_bytes: u64,
}

const BY_TIME: &[Order] = &[Order::time("update_time")];

impl Kind {
    /// What most kinds have: no constraint that means something, nothing beside the row, no search, no facets, 2 MiB.
    pub const fn new(
        plural: &'static str,
        table: &'static str,
        not_found: &'static Refusal,
        not_deleted: &'static Refusal,
    ) -> Self {
        Self {
            plural,
            table,
            filters: &[],
            orders: BY_TIME,
            not_found,
            not_deleted,
            constraints: &[],
            insert_with: "",
            update_with: "",
            deleted_with: "",
            erase_with: "",
            person: false,
            terms: "",
            facets: false,
            parents: &[],
            private: false,
            merged: false,
            copy_of: None,
            cache_bytes: 2 << 20,
        }
    }

    /// Whether a record of it may stand under one that was merged into another.
    pub(crate) fn knows_merges(&self) -> bool {
        self.merged || self.parents.iter().any(|parent| parent.merged)
    }

    /// The schema that its table is in.
    pub(crate) fn schema(&self) -> &'static str {
        self.table.split_once('.').map_or("", |(schema, _)| schema)
    }
}

/// A field that lists can be filtered by, and the column that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub(crate) field: &'static str,
    pub(crate) kind: ValueKind,
    pub(crate) operators: &'static [Operator],
    pub(crate) test: Test,
}

/// How a row is told to match.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Test {
    /// The column is the value's key.
    Key(&'static str, fn(&str) -> String),
    /// The column compares with the value as it is.
    Plain(&'static str),
    /// The column is the value, or another id under which what belongs to that record still stands.
    Parent(&'static str),
    /// A condition with the value's key for `{}`.
    Condition(&'static str, fn(&str) -> String),
    /// The column compares with a date, as a text.
    Date(&'static str),
    /// The column is what stands beside the value: what the API calls it, and what is stored.
    Choice(&'static str, &'static [(&'static str, &'static str)]),
    /// The column, of ids, has this one among them; it is a facet.
    Tag(&'static str),
    /// A value of what the tenant has defined; it is a facet.
    Attribute,
}

const EQUAL: &[Operator] = &[Operator::Equal];

impl Filter {
    const fn of(field: &'static str, kind: ValueKind, operators: &'static [Operator], test: Test) -> Self {
        Self { field, kind, operators, test }
    }

    /// A text that has to be the same, by the key that `column` holds and `key` makes.
    pub const fn text(field: &'static str, column: &'static str, key: fn(&str) -> String) -> Self {
        Self::of(field, ValueKind::Text, EQUAL, Test::Key(column, key))
    }

    /// A name that has to be the same, or to begin so, by the key that `column` holds.
    pub const fn name(field: &'static str, column: &'static str) -> Self {
        Self::of(field, ValueKind::TextPrefix, EQUAL, Test::Key(column, crm_values::name_key))
    }

    /// A text that rows beside this one have to have, told by a condition with its key for `{}`.
    pub const fn beside(field: &'static str, condition: &'static str, key: fn(&str) -> String) -> Self {
        Self::of(field, ValueKind::Text, EQUAL, Test::Condition(condition, key))
    }

    /// One of a few values, each with what is stored for it.
    pub const fn choice(
        field: &'static str,
        column: &'static str,
        values: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self::of(field, ValueKind::Text, EQUAL, Test::Choice(column, values))
    }

    /// An id that has to be the same.
    pub const fn id(field: &'static str) -> Self {
        Self::of(field, ValueKind::Uuid, EQUAL, Test::Plain(field))
    }

    /// A tag that it has to have.
    pub const fn tag(field: &'static str) -> Self {
        Self::of(field, ValueKind::Uuid, &[Operator::Has], Test::Tag(field))
    }

    /// Values of attributes, as far as a tenant's definitions say that they filter.
    pub const fn attributes() -> Self {
        const COMPARED: &[Operator] =
            &[Operator::Equal, Operator::Less, Operator::LessOrEqual, Operator::Greater, Operator::GreaterOrEqual];
        Self::of("attributes", ValueKind::Entries, COMPARED, Test::Attribute)
    }

    /// The id of a record that has to be above it. Where such records can be merged, it is the same for all ids of one.
    pub const fn parent(field: &'static str) -> Self {
        Self::of(field, ValueKind::Uuid, EQUAL, Test::Parent(field))
    }

    /// A truth that has to be the same.
    pub const fn truth(field: &'static str) -> Self {
        Self::of(field, ValueKind::Boolean, EQUAL, Test::Plain(field))
    }

    /// A time that has to be no earlier.
    pub const fn since(field: &'static str) -> Self {
        Self::of(field, ValueKind::Timestamp, &[Operator::GreaterOrEqual], Test::Plain(field))
    }

    /// A time, from one to before another.
    pub const fn time(field: &'static str) -> Self {
        Self::of(field, ValueKind::Timestamp, &[Operator::GreaterOrEqual, Operator::Less], Test::Plain(field))
    }

    /// A date, from one to before another; the column is text, empty where there is none.
    pub const fn date(field: &'static str) -> Self {
        Self::of(field, ValueKind::Text, &[Operator::GreaterOrEqual, Operator::Less], Test::Date(field))
    }

    pub(crate) fn spec(&self) -> FieldSpec {
        FieldSpec { name: self.field, kind: self.kind, operators: self.operators }
    }
}

/// A field that lists can be ordered by, and the column that an index has it in.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub(crate) field: &'static str,
    pub(crate) column: &'static str,
    pub(crate) is_time: bool,
}

impl Order {
    /// By a text's key.
    pub const fn text(field: &'static str, column: &'static str) -> Self {
        Self { field, column, is_time: false }
    }

    /// By a time.
    pub const fn time(field: &'static str) -> Self {
        Self { field, column: field, is_time: true }
    }
}
