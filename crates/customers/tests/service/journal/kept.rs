//! How long changes are kept, and what that means for those who read on.

use crm_customers::SERVICE;
use crm_resource::journal::Cursor;
use crm_resource::testkit::call;
use crm_resource::{CURSOR_EXPIRED, Error};
use uuid::Uuid;

use super::{Replica, as_owner, drain, replica};
use crate::support::{database, tenant};

/// A change at the time that `ago` is an interval for.
async fn change(database: &crm_sandbox::testing::TestDatabase, tenant: Uuid, ago: &str) {
    let insert = format!(
        "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, change_time, changes) \
         values ('{tenant}', 'accounts', gen_random_uuid(), 1, 'created', 'ada', 'agent', now() - interval '{ago}', '{{}}')"
    );
    as_owner(database, &insert).await;
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
