//! Stored keys made anew, where an earlier release made them in another way.
//!
//! Run by the owner, under the lock of migrations and before the release serves. A thousand rows a transaction; a row
//! whose text somebody changes meanwhile is left to them. Cut off, the next run begins again and finds less to do.

use crm_database::Error;
use crm_values::{KEYS, name_key, text_key};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// A table with keys: what it is asked, and how each key is made of its text, in the order of the columns.
struct Table {
    rows: &'static str,
    update: &'static str,
    keys: &'static [fn(&str) -> String],
}

const ACCOUNTS: Table = Table {
    rows: "select tenant_id, id, array[name, industry, territory, owner], \
           array[name_key, industry_key, territory_key, owner_key] from customers.accounts \
           where (tenant_id, id) > ($1, $2) order by tenant_id, id limit 1000",
    update: "update customers.accounts set name_key = $3[1], industry_key = $3[2], territory_key = $3[3], \
             owner_key = $3[4] where tenant_id = $1 and id = $2 \
             and array[name collate \"C\", industry, territory, owner] = $4",
    keys: &[name_key, name_key, text_key, text_key],
};

const CONTACTS: Table = Table {
    rows: "select tenant_id, id, array[family_name, owner], array[family_name_key, owner_key] from customers.contacts \
           where (tenant_id, id) > ($1, $2) order by tenant_id, id limit 1000",
    update: "update customers.contacts set family_name_key = $3[1], owner_key = $3[2] \
             where tenant_id = $1 and id = $2 and array[family_name collate \"C\", owner] = $4",
    keys: &[name_key, text_key],
};

/// Tenant, id, texts, keys.
type Row = (Uuid, Uuid, Vec<String>, Vec<String>);

/// Makes the keys of all rows as this release does, if it has not been done. Answers how many rows have changed.
///
/// # Errors
/// The database's.
pub async fn make(owner: &mut PgConnection) -> Result<u64, Error> {
    let made: i32 = sqlx::query_scalar("select version from customers.key_state").fetch_one(&mut *owner).await?;
    if made >= KEYS {
        return Ok(0);
    }
    sqlx::query("set crm.make_keys = 'on'").execute(&mut *owner).await?;
    let changed = table(owner, &ACCOUNTS).await? + table(owner, &CONTACTS).await?;
    sqlx::query("update customers.key_state set version = $1").bind(KEYS).execute(&mut *owner).await?;
    sqlx::query("reset crm.make_keys").execute(&mut *owner).await?;
    Ok(changed)
}

async fn table(owner: &mut PgConnection, table: &Table) -> Result<u64, Error> {
    let (mut after, mut changed) = ((Uuid::nil(), Uuid::nil()), 0);
    loop {
        let mut batch = owner.begin().await?;
        let rows = sqlx::query_as(table.rows).bind(after.0).bind(after.1);
        let rows: Vec<Row> = rows.fetch_all(&mut *batch).await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        after = (last.0, last.1);
        for (tenant, id, texts, keys) in rows {
            let made: Vec<String> = texts.iter().zip(table.keys).map(|(text, key)| key(text)).collect();
            if made != keys {
                let update = sqlx::query(table.update).bind(tenant).bind(id).bind(made).bind(texts);
                changed += update.execute(&mut *batch).await?.rows_affected();
            }
        }
        batch.commit().await?;
    }
}
