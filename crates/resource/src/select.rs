//! Pages: filters, orders and positions become one `select` over one range of one index.
//!
//! The text depends on which fields are compared, never on the values; the values are bound.

use crm_database::filter::{Condition, Value};
use crm_database::order::Order;
use crm_database::pattern::after_prefix;
use crm_values::name_key_prefix;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use crate::facets::Sought;
use crate::kind::{self, Kind, Test};
use crate::record::Head;
use crate::row::Row;

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// Deleted rows as well.
    pub show_deleted: bool,
    /// Who asks: rows that are one caller's alone are theirs, or are left out. Nobody sees none of them.
    pub reader: String,
    /// Facets that all of them must have.
    pub facets: Vec<Sought>,
    /// Which of these so few have that the table of facets tells which.
    pub by_facet: Option<usize>,
    /// Ids of parents that mean others, with those.
    pub families: Vec<(Uuid, Vec<Uuid>)>,
}

impl Selection {
    /// Parents that are asked for and may have been merged, or have others merged into them.
    pub(crate) fn parents(&self, kind: &Kind) -> Vec<Uuid> {
        let is_parent = |condition: &&Condition| {
            let filter = kind.filters.iter().find(|filter| filter.field == condition.field);
            kind.knows_merges() && filter.is_some_and(|filter| matches!(filter.test, Test::Parent(_)))
        };
        let id = |condition: &Condition| if let Value::Uuid(id) = condition.value { Some(id) } else { None };
        self.conditions.iter().filter(is_parent).filter_map(id).collect()
    }

    fn family(&self, id: Uuid) -> Option<Vec<Uuid>> {
        self.families.iter().find(|(parent, _)| *parent == id).map(|(_, ids)| ids.clone())
    }
}

/// Which page of which rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The rows.
    pub selection: Selection,
    /// Their order; the id decides between equals.
    pub order: Order,
    /// The last row of the page before.
    pub after: Option<Position>,
    /// Most rows to answer.
    pub limit: u32,
}

/// Where a row stands in an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    key: SortKey,
    id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum SortKey {
    Name(String),
    Time(OffsetDateTime),
}

impl Position {
    /// Where a row with these columns stands in `order`.
    pub(crate) fn of(kind: &Kind, head: &Head, row: &Row, order: Order) -> Self {
        let known = known_order(kind, order);
        let key = match known {
            Some(kind::Order { is_time: false, column, .. }) => SortKey::Name(row.text(column).to_owned()),
            Some(kind::Order { column: "create_time", .. }) => SortKey::Time(head.create_time),
            _ => SortKey::Time(head.update_time),
        };
        Self { key, id: head.id }
    }

    /// A position half-way.
    #[cfg(feature = "testkit")]
    pub(crate) fn middle(kind: &Kind, order: Order) -> Self {
        let is_time = known_order(kind, order).is_some_and(|order| order.is_time);
        let month_ago = OffsetDateTime::now_utc() - time::Duration::days(30);
        let key = if is_time { SortKey::Time(month_ago) } else { SortKey::Name("7f".to_owned()) };
        Self { key, id: Uuid::from_u128(u128::MAX / 2) }
    }

    /// Whether the position is one of `order`, and could be that of a row.
    pub(crate) fn fits(&self, kind: &Kind, order: Order) -> bool {
        let is_time = known_order(kind, order).is_some_and(|order| order.is_time);
        match &self.key {
            SortKey::Name(name) => !is_time && !name.contains('\0'),
            SortKey::Time(time) => is_time && is_known(*time),
        }
    }
}

/// Whether the time is of a year that Postgres and the driver know.
pub(crate) fn is_known(time: OffsetDateTime) -> bool {
    time.checked_to_offset(UtcOffset::UTC).is_some_and(|utc| (1..=9_999).contains(&utc.year()))
}

fn known_order(kind: &Kind, order: Order) -> Option<&kind::Order> {
    kind.orders.iter().find(|known| known.field == order.field)
}

/// `from` with the conditions of a selection, without an order.
pub(crate) fn select(kind: &Kind, from: String, tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(from);
    query.push(" where tenant_id = ").push_bind(tenant);
    if !selection.show_deleted {
        query.push(" and delete_time is null").push(parent_is_there(kind));
    } else if kind.person {
        query.push(is_not_being_erased(kind));
    }
    if kind.private {
        query.push(" and reader in ('', ").push_bind(selection.reader.clone()).push(")");
    }
    for condition in &selection.conditions {
        push_condition(kind, &mut query, condition, selection);
    }
    for (index, sought) in selection.facets.iter().enumerate() {
        sought.push(kind, selection.by_facet == Some(index), &mut query);
    }
    query
}

/// The condition that nobody erases a row at this moment, of a kind that is a person; the tenant is `$1`. Each deleted row
/// looks it up by itself, as [`parent_is_there`] does.
fn is_not_being_erased(kind: &Kind) -> String {
    let (schema, plural) = (kind.schema(), kind.plural);
    format!(
        " and case when delete_time is null then true else (select true from {schema}.erasures \
         where erasures.tenant_id = $1 and erasures.resource = '{plural}' and erasures.record_id = {plural}.id) is null end"
    )
}

/// The condition that a row's parent is not deleted, if it has one; the tenant is `$1`. Each row looks up its own parent:
/// as a join or with `exists`, the planner might read all parents there are.
pub(crate) fn parent_is_there(kind: &Kind) -> String {
    let look = |parent: &&Kind| {
        format!(
            " when '{}' then (select {} from {} parent where parent.tenant_id = $1 and parent.id = {}.parent_id)",
            parent.plural,
            is_there(parent),
            parent.table,
            kind.plural
        )
    };
    let looks: String = kind.parents.iter().map(look).collect();
    if looks.is_empty() { looks } else { format!(" and case parent_resource{looks} end") }
}

/// Whether a parent is not deleted; of one that was merged, whether the record that stands for it is not.
fn is_there(parent: &Kind) -> String {
    let (schema, plural, table) = (parent.schema(), parent.plural, parent.table);
    if !parent.merged {
        return "parent.delete_time is null".to_owned();
    }
    format!(
        "case when parent.delete_time is null then true else (select winner.delete_time is null from {schema}.merges \
         join {table} winner on winner.tenant_id = $1 and winner.id = merges.winner_id \
         where merges.tenant_id = $1 and merges.id = parent.id and merges.resource = '{plural}') end"
    )
}

fn push_condition(kind: &Kind, query: &mut QueryBuilder<Postgres>, condition: &Condition, selection: &Selection) {
    let Some(filter) = kind.filters.iter().find(|filter| filter.field == condition.field) else { return };
    match (filter.test, &condition.value) {
        (Test::Key(column, _), Value::Prefix(prefix)) => push_prefix(query, column, &name_key_prefix(prefix)),
        (Test::Key(column, key), Value::Text(text)) => {
            query.push(format_args!(" and {column} = ")).push_bind(key(text));
        }
        (Test::Choice(column, values), Value::Text(text)) => {
            let stored = values.iter().find(|(name, _)| name == text).map(|(_, stored)| *stored);
            query.push(format_args!(" and {column} = ")).push_bind(stored);
        }
        (Test::Condition(text, key), Value::Text(value)) => {
            let (before, after) = text.split_once("{}").unwrap_or((text, ""));
            query.push(format_args!(" and {before}")).push_bind(key(value)).push(after);
        }
        (Test::Parent(column), Value::Uuid(id)) => match selection.family(*id) {
            Some(ids) => drop(query.push(format_args!(" and {column} = any(")).push_bind(ids).push(")")),
            None => drop(query.push(format_args!(" and {column} = ")).push_bind(*id)),
        },
        (Test::Plain(column) | Test::Date(column), value) => {
            query.push(format_args!(" and {column} {} ", condition.operator.symbol()));
            match value {
                Value::Uuid(id) => query.push_bind(*id),
                Value::Timestamp(time) => query.push_bind(*time),
                Value::Boolean(truth) => query.push_bind(*truth),
                Value::Integer(number) => query.push_bind(*number),
                Value::Text(text) | Value::Prefix(text) | Value::Entry { text, .. } => query.push_bind(text.clone()),
            };
        }
        // Told among the facets.
        (Test::Tag(_), Value::Uuid(_)) | (Test::Attribute, Value::Entry { .. }) => {}
        // The filter's parser gives no other pairs.
        (
            Test::Key(..) | Test::Condition(..) | Test::Choice(..) | Test::Parent(_) | Test::Tag(_) | Test::Attribute,
            _,
        ) => {
            query.push(" and false");
        }
    }
}

fn push_prefix(query: &mut QueryBuilder<Postgres>, column: &str, prefix: &str) {
    query.push(format_args!(" and {column} >= ")).push_bind(prefix.to_owned());
    if let Some(after) = after_prefix(prefix) {
        query.push(format_args!(" and {column} < ")).push_bind(after);
    }
}

/// `from` with the rows of a page.
pub(crate) fn page(kind: &Kind, from: &str, tenant: Uuid, listing: &Listing) -> QueryBuilder<Postgres> {
    let mut query = select(kind, from.to_owned(), tenant, &listing.selection);
    let column = known_order(kind, listing.order).map_or("id", |order| order.column);
    let (compare, direction) = if listing.order.descending { ("<", " desc") } else { (">", "") };
    if let Some(Position { key, id }) = &listing.after {
        query.push(format_args!(" and ({column}, id) {compare} ("));
        match key {
            SortKey::Name(name) => query.push_bind(name.clone()),
            SortKey::Time(time) => query.push_bind(*time),
        };
        query.push(", ").push_bind(*id).push(")");
    }
    query.push(format_args!(" order by {column}{direction}, id{direction} limit "));
    query.push_bind(i64::from(listing.limit));
    query
}
