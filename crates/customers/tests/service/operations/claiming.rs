//! Whose operation comes next, and how long one is kept.

use std::collections::HashSet;

use crm_resource::testkit::call;
use uuid::Uuid;

use super::{Worker, as_owner, nothing, number};
use crate::support::{database, pool, tenant};

const CLAIM: &str = "select tenant_id, id from customers.claim_operation($1, $2, interval '1 minute')";

#[tokio::test]
async fn tenants_are_drawn_by_lot_and_of_one_it_is_the_oldest_that_is_not_taken() {
    let database = database().await;
    let worker = Worker::idle(&database, nothing()).await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut of_one = Vec::new();
    for _ in 0..30 {
        of_one.push(worker.begin(one, 1).await);
    }
    let of_two = worker.begin(two, 1).await;
    let pool = pool(&database).await;
    let claim = async |known: &str, busy: Vec<Uuid>| {
        let mut transaction = pool.begin(Uuid::nil(), None).await.unwrap();
        let query = sqlx::query(CLAIM).bind(vec![known.to_owned()]).bind(busy);
        let claimed: Option<(Uuid, Uuid)> = transaction.fetch_optional("claim", query).await.unwrap();
        transaction.commit().await.unwrap();
        claimed
    };
    assert_eq!(claim("Unknown", vec![]).await, None);
    assert_eq!(claim("CreateAccounts", vec![two]).await, Some((one, of_one[0])));
    assert_eq!(claim("CreateAccounts", vec![two]).await, Some((one, of_one[1])));
    assert_eq!(claim("CreateAccounts", vec![one, two]).await, None);
    // Whoever has one is drawn among the first 25 unless a coin falls on the same side as often.
    let mut drawn = HashSet::new();
    for _ in 0..25 {
        drawn.insert(claim("CreateAccounts", vec![]).await.unwrap());
    }
    assert!(drawn.contains(&(two, of_two)));
    assert_eq!(drawn.len(), 25);
    let waiting = "select customers.waiting_operations(array['CreateAccounts'], 3)";
    let mut transaction = pool.begin(Uuid::nil(), None).await.unwrap();
    assert_eq!(transaction.fetch_one::<(i64,)>("waiting", sqlx::query(waiting)).await.unwrap(), (3,));
}

/// What has ended costs nothing, and of what waits one row a tenant is looked at.
#[tokio::test]
async fn who_claims_looks_at_few_rows_however_many_there_are() {
    let database = database().await;
    let fill = "insert into customers.operations (tenant_id, id, kind, unit, subject, role, request, state, due_time, end_time) \
                select md5('t' || n % 10)::uuid, gen_random_uuid(), 'CreateAccounts', 'accounts', 'ada', 'agent', '', \
                case when n % 20 < 10 then 'waiting' else 'succeeded' end, case when n % 20 < 10 then now() end, \
                case when n % 20 >= 10 then now() end from generate_series(1, 20000) n; analyze customers.operations";
    as_owner(&database, fill).await;
    let pool = pool(&database).await;
    let mut transaction = pool.begin(Uuid::nil(), None).await.unwrap();
    let query = sqlx::query(CLAIM).bind(vec!["CreateAccounts".to_owned()]).bind(Vec::<Uuid>::new());
    assert!(transaction.fetch_optional::<(Uuid, Uuid)>("claim", query).await.unwrap().is_some());
    let looked =
        "select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relid = 'customers.operations'::regclass";
    let (scans, rows) = transaction.fetch_one::<(i64, i64)>("looked", sqlx::query(looked)).await.unwrap();
    assert!(scans == 0 && rows <= 50, "{scans} scans, {rows} rows");
}

#[tokio::test]
async fn operations_are_kept_for_thirty_days_after_their_end() {
    let database = database().await;
    let worker = Worker::idle(&database, nothing()).await;
    for (age, ended) in [("31 days", true), ("29 days", true), ("31 days", false)] {
        let id = worker.begin(tenant(), 1).await;
        let end = if ended {
            "state = 'succeeded', due_time = null, end_time = now() - interval"
        } else {
            "create_time = now() - interval"
        };
        as_owner(&database, &format!("update customers.operations set {end} '{age}' where id = '{id}'")).await;
    }
    assert_eq!(worker.store.sweep_operations().await.unwrap(), 1);
    assert_eq!(number(&database, "select count(*) from customers.operations").await, 2);
}

#[tokio::test]
async fn the_service_sees_no_other_tenants_operations_whatever_it_asks() {
    let database = database().await;
    let worker = Worker::idle(&database, nothing()).await;
    worker.begin(tenant(), 1).await;
    let pool = pool(&database).await;
    let count = "select count(*) from customers.operations";
    for (tenant, seen) in [(call(tenant()).tenant, 1), (Uuid::from_u128(9), 0), (Uuid::nil(), 0)] {
        let mut transaction = pool.begin(tenant, None).await.unwrap();
        assert_eq!(transaction.fetch_one::<(i64,)>("count", sqlx::query(count)).await.unwrap(), (seen,));
        let change = transaction.execute("change", sqlx::query("update customers.operations set tries = 0")).await;
        assert_eq!(change.unwrap(), seen as u64);
    }
}
