//! How long changes are kept, and what that means for those who read on.

use crm_customers::SERVICE;
use crm_customers::seed::{self, SeedSize};
use crm_resource::journal::{Cursor, Horizon};
use crm_resource::testkit::call;
use crm_resource::{CURSOR_EXPIRED, Error};
use crm_sandbox::testing::TestDatabase;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{Replica, as_owner, drain, replica};
use crate::support::{database, tenant};

/// A change at the time that `ago` is an interval for.
async fn change(database: &TestDatabase, tenant: Uuid, ago: &str) {
    let insert = format!(
        "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, change_time, changes) \
         values ('{tenant}', 'accounts', gen_random_uuid(), 1, 'created', 'ada', 'agent', now() - interval '{ago}', '{{}}')"
    );
    as_owner(database, &insert).await;
}

async fn floor(database: &TestDatabase, tenant: Uuid) -> String {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let floor = sqlx::query_scalar("select transaction::text from customers.journal_floors where tenant_id = $1");
    floor.bind(tenant).fetch_one(&mut owner).await.unwrap()
}

fn is_expired<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(refusal)) if **refusal == CURSOR_EXPIRED)
}

#[tokio::test]
async fn old_changes_are_swept_and_who_has_not_read_them_is_told() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    let (one, two) = (tenant(), Uuid::from_u128(2));
    change(&database, one, "402 days").await;
    change(&database, two, "1 day").await;
    let (read, early) = drain(&store, one, Cursor::BEGINNING, 100).await;
    assert_eq!(read.len(), 1);
    change(&database, one, "401 days").await;
    let (read, late) = drain(&store, one, early.clone(), 100).await;
    assert_eq!(read.len(), 1);
    let (_, other) = drain(&store, two, Cursor::BEGINNING, 100).await;
    change(&database, one, "399 days").await;
    change(&database, two, "1 day").await;
    // By a transaction that began after others whose changes are kept, as the clock says.
    change(&database, one, "500 days").await;

    assert_eq!(store.sweep_journal().await.unwrap(), 3);
    assert_eq!(store.sweep_journal().await.unwrap(), 0);
    assert!(is_expired(&store.changes(&call(one), &early, 10).await));
    // The last of them was swept, too, and had not been read.
    assert!(is_expired(&store.changes(&call(one), &late, 10).await));
    assert_eq!(drain(&store, one, Cursor::BEGINNING, 10).await.0.len(), 1);
    // Of this tenant nothing was swept.
    assert_eq!(drain(&store, two, other, 10).await.0.len(), 1);
}

/// Who asks for all that is kept is given it in parts, between which some of it may be forgotten.
#[tokio::test]
async fn who_is_in_the_middle_of_all_that_is_kept_is_told_what_is_forgotten_meanwhile() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    let (own, old) = (tenant(), "402 days");
    change(&database, own, old).await;
    assert_eq!(store.sweep_journal().await.unwrap(), 1);
    for ago in [old, old, "1 day", "1 day"] {
        change(&database, own, ago).await;
    }
    let part = store.changes(&call(own), &Cursor::BEGINNING, 1).await.unwrap();
    // What was forgotten before the beginning is not missed.
    let next = store.changes(&call(own), &part.cursor, 1).await.unwrap();
    assert_eq!((part.entries.len(), next.entries.len()), (1, 1));
    assert_eq!(store.sweep_journal().await.unwrap(), 2);
    assert!(is_expired(&store.changes(&call(own), &part.cursor, 1).await));
    assert_eq!(drain(&store, own, Cursor::BEGINNING, 1).await.0.len(), 2);
}

/// Texts of cursors have no key: what cannot be is refused before the database is asked.
#[tokio::test]
async fn a_cursor_that_cannot_be_is_damaged() {
    let check = |seen: u64, tick: u64, is_taken: bool| {
        let tick = serde_json::json!({"snapshot": [tick], "high": 1_000_000_000, "after": 0});
        let cursor: Cursor =
            serde_json::from_value(serde_json::json!({"seen": [seen], "low": 0, "tick": tick})).unwrap();
        let text = cursor.encode("customers", tenant()).unwrap();
        assert_eq!(Cursor::decode("customers", tenant(), "cursor", &text).is_ok(), is_taken, "{seen} {cursor:?}");
    };
    check(20, 20, true);
    check(20, 30, true);
    check(1 << 63, 30, false);
    check(u64::MAX, 30, false);
    check(1_030, 30, false);
}

/// Demo data come without entries, at any time: who read on from before them would never hear of them.
#[tokio::test]
async fn who_has_not_seen_the_demo_data_is_told_to_read_all_anew() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    let (own, other) = (tenant(), Uuid::from_u128(2));
    for tenant in [own, other] {
        change(&database, tenant, "1 day").await;
    }
    let (_, before) = drain(&store, own, Cursor::BEGINNING, 100).await;
    let (_, others) = drain(&store, other, Cursor::BEGINNING, 100).await;
    let (_, horizon) = store.changed_tenants(&Horizon::BEGINNING).await.unwrap();
    assert!(store.changed_tenants(&horizon).await.unwrap().0.is_empty());
    let pool = crate::support::pool(&database).await;
    let size = SeedSize { accounts: 20, contacts: 30 };
    assert!(seed::demo(&pool, own, size, |_| ()).await.unwrap().contacts > 0);

    assert!(is_expired(&store.changes(&call(own), &before, 10).await));
    let (told, horizon) = store.changed_tenants(&horizon).await.unwrap();
    assert_eq!(told, [own]);
    assert!(store.changed_tenants(&horizon).await.unwrap().0.is_empty());
    assert!(store.changes(&call(other), &others, 10).await.unwrap().is_last);
    // An export sees them, and what comes after it. While transactions are open that began before, it may be told again.
    let mut given = None;
    while given.is_none() {
        let mut export = pool.begin_with(own, None, crm_database::Access::Snapshot).await.unwrap();
        let after = store.cursor(&mut export, own).await.unwrap();
        export.commit().await.unwrap();
        change(&database, own, "1 day").await;
        let batch = store.changes(&call(own), &after, 10).await;
        given = (!is_expired(&batch)).then(|| batch.unwrap().entries.len());
    }
    assert_eq!(given, Some(1));
    // A second run creates nothing.
    let gap = floor(&database, own).await;
    seed::demo(&pool, own, size, |_| ()).await.unwrap();
    assert_eq!(floor(&database, own).await, gap);
    // Who asks for all that is kept gets that.
    assert!(drain(&store, own, Cursor::BEGINNING, 10).await.0.len() >= 2);
}

#[tokio::test]
async fn whoever_sweeps_what_is_younger_than_thirty_days_stays() {
    let database = database().await;
    for ago in ["31 days", "29 days"] {
        change(&database, tenant(), ago).await;
    }
    let pool = crate::support::pool(&database).await;
    let mut transaction = pool.begin(Uuid::nil(), None).await.unwrap();
    let sweep = sqlx::query("select customers.sweep_journal(0, 100)");
    assert_eq!(transaction.fetch_one::<(i64,)>("sweep", sweep).await.unwrap(), (1,));
}

#[tokio::test]
async fn a_cursor_from_a_time_that_has_not_come_is_none() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    change(&database, tenant(), "1 day").await;
    let (_, cursor) = drain(&store, tenant(), Cursor::BEGINNING, 100).await;
    let text = serde_json::to_value(&cursor).unwrap();
    let ahead = |by: u64| -> Cursor {
        let mut text = text.clone();
        let seen = text["seen"].as_array_mut().unwrap();
        seen[0] = (seen[0].as_u64().unwrap() + by).into();
        serde_json::from_value(text).unwrap()
    };
    assert!(store.changes(&call(tenant()), &ahead(0), 10).await.unwrap().is_last);
    assert!(is_expired(&store.changes(&call(tenant()), &ahead(100_000_000), 10).await));

    // Of which tenants something is new is no longer known either.
    let (_, horizon) = store.changed_tenants(&Horizon::BEGINNING).await.unwrap();
    let seen = serde_json::to_value(&horizon).unwrap();
    let ahead = |by: u64| -> Horizon {
        let mut seen = seen.clone();
        seen[0] = (seen[0].as_u64().unwrap() + by).into();
        serde_json::from_value(seen).unwrap()
    };
    assert!(store.changed_tenants(&ahead(0)).await.unwrap().0.is_empty());
    assert!(is_expired(&store.changed_tenants(&ahead(100_000_000)).await));
}

/// Sessions that keep a stock of numbers would write out of order.
#[tokio::test]
async fn a_journal_that_is_not_the_expected_one_is_refused() {
    let database = database().await;
    let check = async |change: &str, told: &str| {
        as_owner(&database, change).await;
        let error = SERVICE.migrate(database.url(), None).await.unwrap_err().to_string();
        assert!(error.contains("what is kept of changes") && error.contains(told), "{change}: {error}");
    };
    let stock = "alter sequence customers.journal_sequence cache 10";
    check(stock, "has sequence customers.journal_sequence of bigint, by 1, 10 at a time").await;
    let open = "alter sequence customers.journal_sequence cache 1; \
                create policy open on customers.journal for delete using (true)";
    check(open, "has policy open for d to public using true").await;
}
