//! Whoever follows the journal makes each change once, in the order of each record's versions, whatever else goes on.

use std::time::Duration;

use crm_customers::accounts::Account;
use crm_proto::customers as pb;
use crm_resource::testkit::call;
use crm_resource::{Change, New, Records};
use crm_sandbox::testing::{self, TestDatabase};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use super::{as_owner, follower, replica};
use crate::support::{account, database};

/// Changes, unless the environment says otherwise.
const CHANGES: usize = 3_000;
const WRITERS: usize = 8;
const RECORDS: usize = 20;
const TENANTS: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

/// A few records of a tenant in one transaction, in any order, with pauses. Answers how many were changed: none where
/// somebody else had them in the opposite order.
async fn write(accounts: &Records<Account>, tenant: Uuid, ids: &[Uuid], rng: &mut StdRng) -> usize {
    let mut write = accounts.begin(call(tenant)).await.unwrap();
    for id in ids {
        let renamed = pb::Account { id: id.to_string(), ..account(&rng.random::<u64>().to_string()) };
        let change = pb::UpdateAccountRequest { account: Some(renamed), update_mask: None };
        let mut change = Change::<Account>::read(call(tenant), change).unwrap();
        let Ok(current) = accounts.lock_live(&mut write, *id, "").await else { return 0 };
        let fields = change.apply(&current).unwrap();
        if accounts.replace(&mut write, &current, &fields).await.is_err() {
            return 0;
        }
        if rng.random_ratio(1, 4) {
            sleep(Duration::from_micros(rng.random_range(0..3_000))).await;
        }
    }
    // Now and then so long that many come and go meanwhile, and are read.
    let longest = if rng.random_ratio(1, 200) { 200_000 } else { 2_000 };
    sleep(Duration::from_micros(rng.random_range(0..longest))).await;
    write.commit().await.unwrap();
    ids.len()
}

async fn write_many(accounts: Records<Account>, records: Vec<Vec<Uuid>>, changes: usize, seed: u64) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut done = 0;
    while done < changes {
        let tenant = rng.random_range(0..TENANTS.len());
        let mut ids = records[tenant].clone();
        ids.shuffle(&mut rng);
        ids.truncate(rng.random_range(1..=4));
        done += write(&accounts, TENANTS[tenant], &ids, &mut rng).await;
    }
    done
}

async fn create(accounts: &Records<Account>, tenant: Uuid) -> Uuid {
    let request = pb::CreateAccountRequest {
        account: Some(account("first")),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let new = New::<Account>::read(call(tenant), request).unwrap();
    let mut write = accounts.begin(call(tenant)).await.unwrap();
    accounts.insert(&mut write, new.id, &new.fields).await.unwrap();
    write.commit().await.unwrap();
    new.id
}

/// Somebody who has written, and does nothing more for a long time.
async fn idle_writer(url: &str, tenant: Uuid) -> PgConnection {
    let mut writer = PgConnection::connect(url).await.unwrap();
    let insert = "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, change_time, \
                  changes) values ($1, 'accounts', $2, 1, 'created', 'ada', 'agent', now(), '{}')";
    writer.execute("begin").await.unwrap();
    sqlx::query(insert).bind(tenant).bind(Uuid::from_u128(99)).execute(&mut writer).await.unwrap();
    writer
}

/// Writers elsewhere: one that is idle, and one that has many transactions.
async fn elsewhere(url: String) {
    let mut idle = PgConnection::connect(&url).await.unwrap();
    idle.execute("begin; savepoint a; select pg_current_xact_id()").await.unwrap();
    let mut busy = PgConnection::connect(&url).await.unwrap();
    loop {
        busy.execute("select pg_current_xact_id()").await.unwrap();
        // Each one that ends moves the end of the next snapshots on, behind which the others are safe.
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_made_once_and_each_record_s_in_order() {
    let changes = std::env::var("CRM_TEST_JOURNAL_CHANGES").map_or(CHANGES, |text| text.parse().unwrap());
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let (own, other) = (database().await, testing::database().await.unwrap());
    // Who waits for each other is found out soon, in sessions that begin from now on.
    as_owner(
        &own,
        "do $$ begin execute format('alter database %I set deadlock_timeout = 5', current_database()); end $$",
    )
    .await;
    let replicas = [replica(&own).await, replica(&own).await];
    let mut records = vec![Vec::new(), Vec::new()];
    for (tenant, records) in TENANTS.iter().zip(&mut records) {
        for _ in 0..RECORDS {
            records.push(create(&replicas[0].accounts, *tenant).await);
        }
    }
    follower::create_tables(own.url()).await;
    let mut idle = idle_writer(own.url(), TENANTS[0]).await;
    let elsewhere = tokio::spawn(elsewhere(other.url().to_owned()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (accounts, records) = (replicas[writer % 2].accounts.clone(), records.clone());
        writers.spawn(write_many(accounts, records, changes / WRITERS, seed.wrapping_add(writer as u64)));
    }
    let store = replicas[0].store.clone();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut killed = 0;
    while !writers.is_empty() {
        let follower = tokio::spawn(follower::follow(own.url().to_owned(), store.clone()));
        sleep(Duration::from_millis(rng.random_range(50..500))).await;
        follower.abort();
        // What it panics with, the test must see.
        let end = follower.await.unwrap_err();
        assert!(end.is_cancelled(), "{end:?}");
        killed += 1;
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
    idle.execute("commit").await.unwrap();
    let mut last = PgConnection::connect(own.url()).await.unwrap();
    while follower::step(&mut last, &store).await > 0 {}
    elsewhere.abort();
    println!("killed {killed} times");
    check(&own, changes).await;
}

async fn check(own: &TestDatabase, changes: usize) {
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    let mut count =
        async |question: &'static str| -> i64 { sqlx::query_scalar(question).fetch_one(&mut owner).await.unwrap() };
    let made = count("select count(*) from follower.effects").await;
    assert!(made >= i64::try_from(changes).unwrap(), "{made}");
    assert_eq!(made, count("select sum(version)::bigint + 1 from customers.accounts").await, "made, and to be made");
    assert_eq!(count("select count(distinct (record_id, version)) from follower.effects").await, made, "made twice");
    let out_of_order = "select count(*) from (select version, lag(version, 1, 0::bigint) over (partition by record_id \
                        order by nth) as before from follower.effects) as pairs where version <> before + 1";
    assert_eq!(count(out_of_order).await, 0, "out of order");
}
