//! However many calls one tenant makes, and whatever becomes of them, other tenants find connections.

use std::time::Duration;

use crm_database::{Access, Database, Error};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Notes, OTHER_TENANT, TENANT, until};

const POOL: u32 = 4;

fn small(settings: &mut crm_database::Settings) {
    settings.max_connections = POOL;
    settings.acquire_timeout = Duration::from_secs(1);
    settings.statement_timeout = Duration::from_secs(5);
}

async fn sleep(database: Database) -> Result<(), Error> {
    let mut transaction = database.begin(TENANT, None).await?;
    transaction.execute("sleep", sqlx::query("select 1 from pg_sleep(4)")).await?;
    transaction.commit().await
}

/// Everything that is not the hasty tenant's.
async fn others_are_served(notes: &Notes, round: &str) {
    for nth in 0..5 {
        notes.write(OTHER_TENANT, &format!("{round} {nth}")).await.unwrap();
    }
    let mut export = notes.database.begin_with(OTHER_TENANT, None, Access::Snapshot).await.unwrap();
    export.fetch_one::<(i64,)>("count", sqlx::query("select count(*) from notes.notes")).await.unwrap();
    let sweep = notes.database.begin(Uuid::nil(), None).await.unwrap();
    sweep.commit().await.unwrap();
    notes.database.check().await.unwrap();
    export.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_tenant_keeps_no_other_from_the_database() {
    let notes = Notes::with(small).await;
    let mut flood = JoinSet::new();
    for _ in 0..50 {
        flood.spawn(sleep(notes.database.clone()));
    }
    until("the tenant has its half", async || notes.database.state().used() >= POOL / 2).await;
    others_are_served(&notes, "beside").await;
    let mut ends = (0, 0);
    while let Some(end) = flood.join_next().await {
        match end.unwrap() {
            Ok(()) => ends.0 += 1,
            Err(Error::ShareTaken) => ends.1 += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(ends, (2, 48));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_were_given_up_take_no_more_than_their_tenants_half() {
    let notes = Notes::with(small).await;
    for _ in 0..10 {
        let _ = timeout(Duration::from_millis(20), sleep(notes.database.clone())).await;
    }
    others_are_served(&notes, "after").await;
}
