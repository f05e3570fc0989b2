//! Contacts in Postgres.

use crm_database::TenantTransaction;
use crm_values::{email_key, name_key, text_key};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::refused;

use crate::domain::{AccountId, Contact, ContactFields, ContactId};
use crate::error::Error;

macro_rules! columns {
    () => {
        "id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, \
         delete_time"
    };
}

/// The columns that [`ContactRow`] reads.
pub(super) const COLUMNS: &str = columns!();

/// A row as Postgres answers it.
#[derive(Debug, FromRow)]
pub struct ContactRow {
    id: Uuid,
    account_id: Uuid,
    given_name: String,
    family_name: String,
    title: String,
    emails: Vec<String>,
    phones: Vec<String>,
    owner: String,
    version: i64,
    create_time: OffsetDateTime,
    update_time: OffsetDateTime,
    delete_time: Option<OffsetDateTime>,
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        let fields = ContactFields {
            given_name: row.given_name,
            family_name: row.family_name,
            title: row.title,
            emails: row.emails,
            phones: row.phones,
            owner: row.owner,
        };
        Self {
            id: ContactId(row.id),
            account_id: AccountId(row.account_id),
            fields,
            version: row.version,
            create_time: row.create_time,
            update_time: row.update_time,
            delete_time: row.delete_time,
        }
    }
}

/// Behind [`find`].
pub const FIND: &str = concat!("select ", columns!(), " from customers.contacts where tenant_id = $1 and id = any($2)");

/// The contacts with these ids, deleted ones included, in no order.
///
/// # Errors
/// The database's.
pub async fn find(transaction: &mut TenantTransaction, tenant: Uuid, ids: &[Uuid]) -> Result<Vec<Contact>, Error> {
    let query = sqlx::query(FIND).bind(tenant).bind(ids);
    let rows = transaction.fetch_all::<ContactRow>("find_contacts", query).await?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

/// Behind [`lock`].
pub const LOCK: &str =
    concat!("select ", columns!(), " from customers.contacts where tenant_id = $1 and id = $2 for no key update");

/// The contact in its latest state, which nobody else changes before this transaction ends.
///
/// # Errors
/// The database's.
pub async fn lock(transaction: &mut TenantTransaction, tenant: Uuid, id: ContactId) -> Result<Option<Contact>, Error> {
    let query = sqlx::query(LOCK).bind(tenant).bind(id.0);
    Ok(transaction.fetch_optional::<ContactRow>("lock_contact", query).await?.map(Contact::from))
}

/// Behind [`insert`].
///
/// The addresses go into their table by the same statement: one round trip, and never one without the other. The
/// reference from there is checked when the statement ends, so the order within it does not matter.
pub const INSERT: &str = concat!(
    "with addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
     select $1, unnest($11::text[]), $2) \
     insert into customers.contacts (tenant_id, id, account_id, given_name, family_name, family_name_key, title, \
     emails, phones, owner, owner_key, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, \
     statement_timestamp(), statement_timestamp()) returning ",
    columns!()
);

/// Adds a contact to an account.
///
/// # Errors
/// The account is none of the tenant's, or the database's.
pub async fn insert(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: ContactId,
    account_id: AccountId,
    fields: &ContactFields,
) -> Result<Contact, Error> {
    let query = sqlx::query(INSERT).bind(tenant).bind(id.0).bind(account_id.0);
    let query = query
        .bind(&fields.given_name)
        .bind(&fields.family_name)
        .bind(name_key(&fields.family_name))
        .bind(&fields.title)
        .bind(&fields.emails)
        .bind(&fields.phones)
        .bind(&fields.owner)
        .bind(email_keys(fields))
        .bind(text_key(&fields.owner));
    Ok(transaction.fetch_one::<ContactRow>("insert_contact", query).await.map_err(refused)?.into())
}

/// Behind [`update`].
///
/// Addresses that stay are left alone; parts of one statement do not see each other's rows, so none is both removed
/// and added.
pub const UPDATE: &str = concat!(
    "with removed as (delete from customers.contact_emails \
     where tenant_id = $1 and contact_id = $2 and email_key <> all($10::text[])), \
     added as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
     select $1, unnest($10::text[]), $2 on conflict do nothing) \
     update customers.contacts set given_name = $3, family_name = $4, family_name_key = $5, title = $6, emails = $7, \
     phones = $8, owner = $9, owner_key = $11, version = version + 1, update_time = ",
    change_time!(),
    " \
     where tenant_id = $1 and id = $2 returning ",
    columns!()
);

/// Writes all fields of a locked contact.
///
/// # Errors
/// The database's.
pub async fn update(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: ContactId,
    fields: &ContactFields,
) -> Result<Contact, Error> {
    let query = sqlx::query(UPDATE)
        .bind(tenant)
        .bind(id.0)
        .bind(&fields.given_name)
        .bind(&fields.family_name)
        .bind(name_key(&fields.family_name))
        .bind(&fields.title)
        .bind(&fields.emails)
        .bind(&fields.phones)
        .bind(&fields.owner)
        .bind(email_keys(fields))
        .bind(text_key(&fields.owner));
    Ok(transaction.fetch_one::<ContactRow>("update_contact", query).await.map_err(refused)?.into())
}

/// Behind [`set_deleted`].
pub const SET_DELETED: &str = concat!(
    "update customers.contacts set delete_time = case when $3 then ",
    change_time!(),
    " end, version = version + 1, update_time = ",
    change_time!(),
    " where tenant_id = $1 and id = $2 returning ",
    columns!()
);

/// Marks a locked contact as deleted, or takes the mark away. Its addresses stay: lists leave deleted contacts out.
///
/// # Errors
/// The database's.
pub async fn set_deleted(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    id: ContactId,
    deleted: bool,
) -> Result<Contact, Error> {
    let query = sqlx::query(SET_DELETED).bind(tenant).bind(id.0).bind(deleted);
    Ok(transaction.fetch_one::<ContactRow>("set_contact_deleted", query).await?.into())
}

/// Behind [`exist_at`].
pub const OF_ACCOUNT: &str = "select id from customers.contacts \
     where tenant_id = $1 and account_id = $2 and delete_time is null limit 1";

/// Whether the account has a contact that is not deleted.
///
/// # Errors
/// The database's.
pub async fn exist_at(transaction: &mut TenantTransaction, tenant: Uuid, account_id: AccountId) -> Result<bool, Error> {
    let query = sqlx::query(OF_ACCOUNT).bind(tenant).bind(account_id.0);
    Ok(transaction.fetch_optional::<(Uuid,)>("find_contact_of_account", query).await?.is_some())
}

/// The addresses as they are searched, none twice: `A@x.example` and `a@x.example` are one there.
fn email_keys(fields: &ContactFields) -> Vec<String> {
    let mut keys: Vec<String> = fields.emails.iter().map(|email| email_key(email)).collect();
    // What no rule of today would let in must not keep the rest of the contact from being changed.
    keys.retain(|key| (1..=254).contains(&key.len()));
    keys.sort_unstable();
    keys.dedup();
    keys
}
