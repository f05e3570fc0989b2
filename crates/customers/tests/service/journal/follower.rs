//! A small follower, as another service would have one: where it stands is kept with what it made of what it read.

use std::collections::HashMap;

use crm_resource::Store;
use crm_resource::journal::{Cursor, Entry, Horizon};
use crm_resource::testkit::call;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::support::app;

/// Small, so that some batches are cut.
const AT_ONCE: u32 = 10;

/// Effects, in the order in which they were made, and cursors. The nil tenant's is the horizon.
pub(super) async fn create_tables(url: &str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let tables = "create schema follower;
        create table follower.cursors (tenant_id uuid primary key, cursor text not null);
        create table follower.effects (nth bigserial primary key, tenant_id uuid, record_id uuid, version bigint)";
    owner.execute(tables).await.unwrap();
}

/// Follows until it is killed.
pub(super) async fn follow(url: String, store: Store) {
    let mut own = PgConnection::connect(&url).await.unwrap();
    loop {
        if step(&mut own, &store).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}

/// Makes what there is to be made. Answers how many effects.
pub(super) async fn step(own: &mut PgConnection, store: &Store) -> usize {
    let mut cursors = cursors(own).await;
    let known = cursors.remove(&Uuid::nil()).unwrap_or_default();
    let horizon = Horizon::decode(app::SCHEMA, "horizon", &known).unwrap();
    let (tenants, horizon) = store.changed_tenants(&horizon).await.unwrap();
    let mut made = 0;
    for tenant in tenants {
        let mut kept = cursors.remove(&tenant).unwrap_or_default();
        loop {
            let cursor = Cursor::decode(app::SCHEMA, tenant, "cursor", &kept).unwrap();
            // No transaction of one's own is open while somebody else is asked.
            let batch = store.changes(&call(tenant), &cursor, AT_ONCE).await.unwrap();
            let next = batch.cursor.encode(app::SCHEMA, tenant).unwrap();
            if !keep(own, tenant, (&kept, &next), &batch.entries).await {
                return made;
            }
            made += batch.entries.len();
            kept = next;
            if batch.is_last {
                break;
            }
        }
    }
    keep(own, Uuid::nil(), (&known, &horizon.encode(app::SCHEMA).unwrap()), &[]).await;
    made
}

async fn cursors(own: &mut PgConnection) -> HashMap<Uuid, String> {
    let all = sqlx::query_as("select tenant_id, cursor from follower.cursors");
    all.fetch_all(own).await.unwrap().into_iter().collect()
}

/// Effects and cursor in one transaction. A predecessor that is not quite dead may have been faster.
async fn keep(own: &mut PgConnection, tenant: Uuid, (from, to): (&str, &str), entries: &[Entry]) -> bool {
    let mut transaction = own.begin().await.unwrap();
    let insert = "insert into follower.cursors values ($1, '') on conflict do nothing";
    sqlx::query(insert).bind(tenant).execute(&mut *transaction).await.unwrap();
    let update = "update follower.cursors set cursor = $3 where tenant_id = $1 and cursor = $2";
    let moved = sqlx::query(update).bind(tenant).bind(from).bind(to).execute(&mut *transaction).await.unwrap();
    if moved.rows_affected() == 0 {
        return false;
    }
    let effects = "insert into follower.effects (tenant_id, record_id, version) \
                   select $1, * from unnest($2::uuid[], $3::bigint[])";
    let (ids, versions): (Vec<Uuid>, Vec<i64>) = entries.iter().map(|entry| (entry.record_id, entry.version)).unzip();
    sqlx::query(effects).bind(tenant).bind(ids).bind(versions).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    true
}
