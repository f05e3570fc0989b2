//! Pages: filters, orders and positions become one `select` over one range of one index.
//!
//! The text depends on which fields are compared, never on the values; the values are bound.

use crm_database::TenantTransaction;
use crm_database::filter::{Condition, FieldSpec, Kind, Operator, Value};
use crm_database::order::Order;
use crm_database::pattern::after_prefix;
use crm_values::{email_key, name_key, name_key_prefix, text_key};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use super::accounts::{self, AccountRow};
use super::contacts::{self, ContactRow};

use crate::domain::{Account, Contact};
use crate::error::Error;

/// Fields that accounts can be filtered by.
pub const ACCOUNT_FIELDS: &[FieldSpec] = &[
    FieldSpec { name: "owner", kind: Kind::Text, operators: &[Operator::Equal] },
    FieldSpec { name: "industry", kind: Kind::Text, operators: &[Operator::Equal] },
    FieldSpec { name: "territory", kind: Kind::Text, operators: &[Operator::Equal] },
    FieldSpec { name: "parent_id", kind: Kind::Uuid, operators: &[Operator::Equal] },
    FieldSpec { name: "name", kind: Kind::TextPrefix, operators: &[Operator::Equal] },
    FieldSpec { name: "update_time", kind: Kind::Timestamp, operators: &[Operator::GreaterOrEqual] },
];

/// Fields that contacts can be filtered by.
pub const CONTACT_FIELDS: &[FieldSpec] = &[
    FieldSpec { name: "account_id", kind: Kind::Uuid, operators: &[Operator::Equal] },
    FieldSpec { name: "owner", kind: Kind::Text, operators: &[Operator::Equal] },
    FieldSpec { name: "email", kind: Kind::Text, operators: &[Operator::Equal] },
    FieldSpec { name: "family_name", kind: Kind::TextPrefix, operators: &[Operator::Equal] },
    FieldSpec { name: "update_time", kind: Kind::Timestamp, operators: &[Operator::GreaterOrEqual] },
];

/// Fields that accounts can be ordered by, the usual one first.
pub const ACCOUNT_ORDERS: &[&str] = &["name", "update_time"];
/// Fields that contacts can be ordered by, the usual one first.
pub const CONTACT_ORDERS: &[&str] = &["family_name", "update_time"];

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// Deleted rows as well.
    pub show_deleted: bool,
}

/// Which page of which rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
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
pub struct Position {
    key: SortKey,
    id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum SortKey {
    Name(String),
    Time(OffsetDateTime),
}

impl Position {
    /// Where an account stands in `order`.
    pub fn of_account(account: &Account, order: Order) -> Self {
        Self { key: SortKey::of(order, &account.fields.name, account.update_time), id: account.id.0 }
    }

    /// Where a contact stands in `order`.
    pub fn of_contact(contact: &Contact, order: Order) -> Self {
        Self { key: SortKey::of(order, &contact.fields.family_name, contact.update_time), id: contact.id.0 }
    }
}

impl Position {
    /// Whether the position is one of `order`, and could be that of a row.
    pub fn fits(&self, order: Order) -> bool {
        match &self.key {
            SortKey::Name(name) => order.field != "update_time" && !name.contains('\0'),
            SortKey::Time(_) => order.field == "update_time",
        }
    }
}

impl SortKey {
    fn of(order: Order, name: &str, update_time: OffsetDateTime) -> Self {
        match order.field {
            "update_time" => Self::Time(update_time),
            _ => Self::Name(name_key(name)),
        }
    }
}

/// One page of accounts.
///
/// # Errors
/// The database's.
pub async fn accounts(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    listing: &Listing,
) -> Result<Vec<Account>, Error> {
    let mut query = accounts_page(tenant, listing);
    let rows = transaction.fetch_all::<AccountRow>("list_accounts", query.build()).await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// One page of contacts.
///
/// # Errors
/// The database's.
pub async fn contacts(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    listing: &Listing,
) -> Result<Vec<Contact>, Error> {
    let mut query = contacts_page(tenant, listing);
    let rows = transaction.fetch_all::<ContactRow>("list_contacts", query.build()).await?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

/// The statement behind [`accounts()`].
pub fn accounts_page(tenant: Uuid, listing: &Listing) -> QueryBuilder<Postgres> {
    page(select_accounts("", tenant, &listing.selection), listing)
}

/// The statement behind [`contacts()`].
pub fn contacts_page(tenant: Uuid, listing: &Listing) -> QueryBuilder<Postgres> {
    page(select_contacts("", tenant, &listing.selection), listing)
}

/// `select` of accounts without an order, behind the words `before`.
pub(super) fn select_accounts(before: &str, tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
    select(format!("{before}select {} from customers.accounts", accounts::COLUMNS), tenant, selection)
}

/// `select` of contacts without an order, behind the words `before`.
pub(super) fn select_contacts(before: &str, tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
    select(format!("{before}select {} from customers.contacts", contacts::COLUMNS), tenant, selection)
}

fn select(from: String, tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(from);
    query.push(" where tenant_id = ").push_bind(tenant);
    if !selection.show_deleted {
        query.push(" and delete_time is null");
    }
    for condition in &selection.conditions {
        push_condition(&mut query, condition);
    }
    query
}

fn push_condition(query: &mut QueryBuilder<Postgres>, condition: &Condition) {
    let column = condition.field;
    match (&condition.value, column) {
        (Value::Text(email), "email") => {
            query.push(" and id in (select contact_id from customers.contact_emails where tenant_id = $1");
            query.push(" and email_key = ").push_bind(email_key(email)).push(")");
        }
        (Value::Text(text), "name" | "family_name" | "industry") => {
            push_equal(query, key_column(column), name_key(text));
        }
        (Value::Text(text), _) => push_equal(query, key_column(column), text_key(text)),
        (Value::Prefix(prefix), _) => push_prefix(query, key_column(column), &name_key_prefix(prefix)),
        (Value::Uuid(id), _) => push_equal(query, column, *id),
        (Value::Timestamp(from), _) => {
            query.push(format_args!(" and {column} >= ")).push_bind(*from);
        }
        // No field above has these kinds.
        (Value::Integer(_) | Value::Boolean(_), _) => {
            query.push(" and false");
        }
    }
}

fn push_equal<T>(query: &mut QueryBuilder<Postgres>, column: &str, value: T)
where
    T: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    query.push(format_args!(" and {column} = ")).push_bind(value);
}

fn push_prefix(query: &mut QueryBuilder<Postgres>, column: &str, prefix: &str) {
    query.push(format_args!(" and {column} >= ")).push_bind(prefix.to_owned());
    if let Some(after) = after_prefix(prefix) {
        query.push(format_args!(" and {column} < ")).push_bind(after);
    }
}

/// The column that a field is compared and sorted by.
fn key_column(field: &str) -> &str {
    match field {
        "name" => "name_key",
        "family_name" => "family_name_key",
        "industry" => "industry_key",
        "territory" => "territory_key",
        "owner" => "owner_key",
        other => other,
    }
}

fn page(mut query: QueryBuilder<Postgres>, listing: &Listing) -> QueryBuilder<Postgres> {
    let column = key_column(listing.order.field);
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
