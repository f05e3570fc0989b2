//! Accounts in Postgres.

use crm_database::TenantTransaction;
use crm_values::{Currency, Money, name_key, text_key};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{FromRow, Postgres};
use time::OffsetDateTime;
use uuid::Uuid;

use super::refused;

use crate::domain::{Account, AccountFields, AccountId, MAX_ANCESTORS};
use crate::error::Error;

macro_rules! columns {
    () => {
        "id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, \
         annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time"
    };
}

/// The columns that [`AccountRow`] reads.
pub(super) const COLUMNS: &str = columns!();

/// A row as Postgres answers it.
#[derive(Debug, FromRow)]
pub struct AccountRow {
    id: Uuid,
    name: String,
    domain: Option<String>,
    industry: String,
    country: String,
    territory: String,
    owner: String,
    employees: Option<i32>,
    annual_revenue_minor: Option<i64>,
    annual_revenue_currency: Option<String>,
    founded_year: Option<i32>,
    parent_id: Option<Uuid>,
    version: i64,
    create_time: OffsetDateTime,
    update_time: OffsetDateTime,
    delete_time: Option<OffsetDateTime>,
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self, Error> {
        let annual_revenue = money(row.annual_revenue_minor, row.annual_revenue_currency.as_deref())?;
        let fields = AccountFields {
            name: row.name,
            domain: row.domain,
            industry: row.industry,
            country: row.country,
            territory: row.territory,
            owner: row.owner,
            employees: row.employees,
            annual_revenue,
            founded_year: row.founded_year,
            parent_id: row.parent_id.map(AccountId),
        };
        let (create_time, update_time, delete_time) = (row.create_time, row.update_time, row.delete_time);
        Ok(Self { id: AccountId(row.id), fields, version: row.version, create_time, update_time, delete_time })
    }
}

fn money(minor: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, Error> {
    let (Some(minor), Some(code)) = (minor, currency) else { return Ok(None) };
    let currency = Currency::stored(code).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
    Ok(Some(Money::from_minor(minor, currency)))
}

/// Behind [`find`].
pub const FIND: &str = concat!("select ", columns!(), " from customers.accounts where tenant_id = $1 and id = any($2)");

/// The accounts with these ids, deleted ones included, in no order.
///
/// # Errors
/// The database's.
pub async fn find(transaction: &mut TenantTransaction, tenant: Uuid, ids: &[Uuid]) -> Result<Vec<Account>, Error> {
    let query = sqlx::query(FIND).bind(tenant).bind(ids);
    let rows = transaction.fetch_all::<AccountRow>("find_accounts", query).await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Behind [`lock`].
pub const LOCK: &str =
    concat!("select ", columns!(), " from customers.accounts where tenant_id = $1 and id = $2 for no key update");

/// The account in its latest state, which nobody else changes before this transaction ends.
///
/// # Errors
/// The database's.
pub async fn lock(transaction: &mut TenantTransaction, tenant: Uuid, id: AccountId) -> Result<Option<Account>, Error> {
    let query = sqlx::query(LOCK).bind(tenant).bind(id.0);
    transaction.fetch_optional::<AccountRow>("lock_account", query).await?.map(Account::try_from).transpose()
}

/// Behind [`insert`].
pub const INSERT: &str = concat!(
    "insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, country, territory, owner, \
     employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, industry_key, territory_key, owner_key, \
     create_time, update_time) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, statement_timestamp(), \
     statement_timestamp()) returning ",
    columns!()
);

/// Adds an account.
///
/// # Errors
/// The domain is taken, the parent is none of the tenant's accounts, or the database's.
pub async fn insert(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: AccountId,
    fields: &AccountFields,
) -> Result<Account, Error> {
    let query = written(INSERT, tenant, id, fields);
    transaction.fetch_one::<AccountRow>("insert_account", query).await.map_err(refused)?.try_into()
}

/// Behind [`update`].
pub const UPDATE: &str = concat!(
    "update customers.accounts set name = $3, name_key = $4, domain = $5, industry = $6, country = $7, \
     territory = $8, owner = $9, employees = $10, annual_revenue_minor = $11, annual_revenue_currency = $12, \
     founded_year = $13, parent_id = $14, industry_key = $15, territory_key = $16, owner_key = $17, \
     version = version + 1, update_time = ",
    change_time!(),
    " \
     where tenant_id = $1 and id = $2 returning ",
    columns!()
);

/// Writes all fields of a locked account.
///
/// # Errors
/// As of [`insert`].
pub async fn update(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: AccountId,
    fields: &AccountFields,
) -> Result<Account, Error> {
    let query = written(UPDATE, tenant, id, fields);
    transaction.fetch_one::<AccountRow>("update_account", query).await.map_err(refused)?.try_into()
}

/// The two statements that write fields take the same parameters.
fn written<'q>(
    sql: &'static str,
    tenant: Uuid,
    id: AccountId,
    fields: &'q AccountFields,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql)
        .bind(tenant)
        .bind(id.0)
        .bind(&fields.name)
        .bind(name_key(&fields.name))
        .bind(&fields.domain)
        .bind(&fields.industry)
        .bind(&fields.country)
        .bind(&fields.territory)
        .bind(&fields.owner)
        .bind(fields.employees)
        .bind(fields.annual_revenue.map(Money::minor))
        .bind(fields.annual_revenue.map(|money| money.currency().code()))
        .bind(fields.founded_year)
        .bind(fields.parent_id.map(|parent| parent.0))
        .bind(name_key(&fields.industry))
        .bind(text_key(&fields.territory))
        .bind(text_key(&fields.owner))
}

/// Behind [`set_deleted`].
pub const SET_DELETED: &str = concat!(
    "update customers.accounts set delete_time = case when $3 then ",
    change_time!(),
    " end, version = version + 1, update_time = ",
    change_time!(),
    " where tenant_id = $1 and id = $2 returning ",
    columns!()
);

/// Marks a locked account as deleted, or takes the mark away.
///
/// # Errors
/// The domain has been taken meanwhile, or the database's.
pub async fn set_deleted(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: AccountId,
    deleted: bool,
) -> Result<Account, Error> {
    let query = sqlx::query(SET_DELETED).bind(tenant).bind(id.0).bind(deleted);
    transaction.fetch_one::<AccountRow>("set_account_deleted", query).await.map_err(refused)?.try_into()
}

/// Behind [`hold`].
pub const HOLD: &str =
    "select id from customers.accounts where tenant_id = $1 and id = $2 and delete_time is null for share";

/// Whether the account is there and not deleted; if so, it stays until this transaction ends.
///
/// # Errors
/// The database's.
pub async fn hold(transaction: &mut TenantTransaction, tenant: Uuid, id: AccountId) -> Result<bool, Error> {
    let query = sqlx::query(HOLD).bind(tenant).bind(id.0);
    Ok(transaction.fetch_optional::<(Uuid,)>("hold_account", query).await?.is_some())
}

/// Behind [`lock_hierarchy`].
pub const LOCK_HIERARCHY: &str =
    "select pg_advisory_xact_lock(hashtextextended('customers.hierarchy ' || $1::text, 0))";

/// Waits until no other transaction changes the tenant's hierarchy, and keeps others out until this one ends.
///
/// Two moves that are each fine can make a loop together; row locks would not show them to each other. Taken before
/// any row lock, so that two holders never wait for one another.
///
/// # Errors
/// The database's.
pub async fn lock_hierarchy(transaction: &mut TenantTransaction, tenant: Uuid) -> Result<(), Error> {
    transaction.execute("lock_hierarchy", sqlx::query(LOCK_HIERARCHY).bind(tenant)).await?;
    Ok(())
}

/// Behind [`share_hierarchy`].
pub const SHARE_HIERARCHY: &str =
    "select pg_advisory_xact_lock_shared(hashtextextended('customers.hierarchy ' || $1::text, 0))";

/// Waits until nobody moves accounts of the tenant, and keeps moves out until this transaction ends.
///
/// For what only adds a leaf: two of those cannot be too deep together, but one and a move of what is above it can.
///
/// # Errors
/// The database's.
pub async fn share_hierarchy(transaction: &mut TenantTransaction, tenant: Uuid) -> Result<(), Error> {
    transaction.execute("share_hierarchy", sqlx::query(SHARE_HIERARCHY).bind(tenant)).await?;
    Ok(())
}

/// Behind [`ancestors`].
pub const ANCESTORS: &str = "with recursive path (id, parent_id, length) as (\
     select id, parent_id, 1 from customers.accounts where tenant_id = $1 and id = $2 \
     union all \
     select parent.id, parent.parent_id, path.length + 1 from path \
     join customers.accounts parent on parent.tenant_id = $1 and parent.id = path.parent_id \
     where path.length <= $3) \
     select id from path order by length";

/// The account and those above it, at most one more than [`MAX_ANCESTORS`].
///
/// # Errors
/// The database's.
pub async fn ancestors(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: AccountId,
) -> Result<Vec<AccountId>, Error> {
    let bound = i32::try_from(MAX_ANCESTORS).unwrap_or(i32::MAX);
    let query = sqlx::query(ANCESTORS).bind(tenant).bind(id.0).bind(bound);
    let path = transaction.fetch_all::<(Uuid,)>("find_ancestors", query).await?;
    Ok(path.into_iter().map(|(id,)| AccountId(id)).collect())
}

/// Behind [`has_subsidiary`].
pub const SUBSIDIARY: &str = "select id from customers.accounts \
     where tenant_id = $1 and parent_id = $2 and delete_time is null limit 1";

/// Whether the account has a subsidiary that is not deleted.
///
/// # Errors
/// The database's.
pub async fn has_subsidiary(transaction: &mut TenantTransaction, tenant: Uuid, id: AccountId) -> Result<bool, Error> {
    let query = sqlx::query(SUBSIDIARY).bind(tenant).bind(id.0);
    Ok(transaction.fetch_optional::<(Uuid,)>("find_subsidiary", query).await?.is_some())
}

/// Behind [`height`]. What stands below a deleted account is deleted, too, and is looked at when it comes back.
pub const HEIGHT: &str = "with recursive below (id, depth) as (\
     select id, 0 from customers.accounts where tenant_id = $1 and id = $2 \
     union all \
     select child.id, below.depth + 1 from below \
     join customers.accounts child on child.tenant_id = $1 and child.parent_id = below.id and child.delete_time is null \
     where below.depth <= $3) \
     select coalesce(max(depth), 0) from below";

/// Levels of subsidiaries below an account, at most one more than [`MAX_ANCESTORS`].
///
/// # Errors
/// The database's.
pub async fn height(transaction: &mut TenantTransaction, tenant: Uuid, id: AccountId) -> Result<usize, Error> {
    let bound = i32::try_from(MAX_ANCESTORS).unwrap_or(i32::MAX);
    let query = sqlx::query(HEIGHT).bind(tenant).bind(id.0).bind(bound);
    let (height,) = transaction.fetch_one::<(i32,)>("find_height", query).await?;
    Ok(usize::try_from(height).unwrap_or(0))
}
