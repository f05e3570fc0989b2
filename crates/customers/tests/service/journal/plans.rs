//! How much is read for what is given, at 200,000 changes, as the service's role.

use crm_resource::journal::Cursor;
use crm_resource::testkit::call;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use super::{Replica, as_owner, replica};
use crate::support::{database, tenant};

/// A third are of the tenant that is looked at. Transactions have four hundred each, of one tenant; a record has forty.
const FILL: &str = "
    insert into customers.journal (tenant_id, transaction, sequence, resource, record_id, version, kind, subject, role,
        change_time, changes)
    select case when n / 400 % 3 = 0 then '{tenant}'::uuid else md5('t' || n / 400 % 3)::uuid end,
        (3 + n / 400)::text::xid8, n, 'accounts', md5('a' || n % 5000)::uuid, n / 5000 + 1, 'updated', 'ada', 'agent',
        now(), '{\"name\": [\"a\", \"b\"]}'
    from generate_series(1, 200000) n;
    select setval('customers.journal_sequence', 200000);
    vacuum analyze customers.journal";

#[tokio::test]
async fn a_batch_and_a_page_read_little_more_than_they_give() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    for statement in FILL.split(';') {
        as_owner(&database, &statement.replace("{tenant}", &tenant().to_string())).await;
    }
    let own = call(tenant());
    let check = async |seen: &[u64], low: i64, given: u64, index: &str| {
        let cursor: Cursor = serde_json::from_value(json!({"seen": seen, "low": low, "tick": null})).unwrap();
        let plan = store.explain_changes(&own, &cursor, 500).await.unwrap();
        assert!(plan.indexes().contains(&index), "{plan}");
        plan.assert_no_sequential_scan();
        let (rows, read) = (plan.rows(), plan.rows_read());
        println!("after {low}: {rows} given, {read} read");
        assert_eq!(rows, given, "{plan}");
        assert!(10 * read <= 11 * given, "{read} rows are read for {given}:\n{plan}");
    };
    // From the beginning, from the middle, near the end.
    check(&[1], 0, 500, "journal_pkey").await;
    check(&[253], 100_000, 500, "journal_pkey").await;
    check(&[501], 199_590, 9, "journal_pkey").await;
    // Late: 300, which is of this tenant, and 301, which is not.
    check(&[600, 299, 300], 200_000, 400, "journal_transaction_idx").await;

    // `md5('a2400')`, whose first change is the tenant's.
    let record = Uuid::parse_str("17c6b58a0f37a12c6820aa9b2dd3f60c").unwrap();
    for plan in store.explain_history(&own, "accounts", record).await.unwrap() {
        assert_eq!(plan.indexes(), ["journal_record_key"], "{plan}");
        assert!(plan.rows() > 0 && plan.rows_read() == plan.rows(), "{plan}");
        plan.assert_no_sort();
    }
}

/// As the function is planned, which does not know how many rows it is asked for.
#[tokio::test]
async fn a_sweep_reads_what_it_forgets_and_no_more() {
    let database = database().await;
    for statement in FILL.split(';') {
        let statement =
            statement.replace("{tenant}", &tenant().to_string()).replace("now()", "now() - interval '401 days'");
        as_owner(&database, &statement).await;
    }
    let mut sweeper = PgConnection::connect(database.url()).await.unwrap();
    sweeper.execute("begin").await.unwrap();
    let swept: i64 =
        sqlx::query_scalar("select customers.sweep_journal(400, 2000)").fetch_one(&mut sweeper).await.unwrap();
    let read =
        "select seq_tup_read, idx_tup_fetch from pg_stat_xact_user_tables where relid = 'customers.journal'::regclass";
    let (all, found): (i64, i64) = sqlx::query_as(read).fetch_one(&mut sweeper).await.unwrap();
    assert_eq!((swept, all), (2_000, 0), "{found} by indexes");
    assert!(found <= 2_200, "{found}");
}
