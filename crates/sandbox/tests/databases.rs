//! Template databases and their copies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_sandbox::testing;
use sqlx::{Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

static FILLED: AtomicU32 = AtomicU32::new(0);

async fn shop() -> testing::Template {
    let setup = |url: String| async move {
        FILLED.fetch_add(1, Ordering::SeqCst);
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql("create table goods (name text); insert into goods values ('apple')")
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    testing::template_database("sandbox_shop", setup).await.unwrap()
}

async fn count(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select count(*) from goods").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_tests_fill_a_template_once_and_do_not_see_each_other() {
    let one_test = |n: i64| async move {
        let database = shop().await.database().await.unwrap();
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        for _ in 0..n {
            sqlx::query("insert into goods values ('pear')").execute(&mut connection).await.unwrap();
        }
        assert_eq!(count(database.url()).await, n + 1);
    };
    let tests: Vec<_> = (0..8).map(|n| tokio::spawn(one_test(n))).collect();
    for test in tests {
        test.await.unwrap();
    }
    assert!(FILLED.load(Ordering::SeqCst) <= 1);
}

#[tokio::test]
async fn dropped_database_is_gone_even_with_someone_connected() {
    let database = shop().await.database().await.unwrap();
    let _connected = PgConnection::connect(database.url()).await.unwrap();
    let url = database.url().to_owned();
    drop(database);
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn failed_setup_is_reported_and_tried_again() {
    let fail = |_url: String| async { Err("out of apples") };
    let error = testing::template_database("sandbox_failing", fail).await.unwrap_err();
    assert!(error.to_string().contains("out of apples"), "{error}");
    let succeed = |_url: String| async { Ok::<_, &str>(()) };
    testing::template_database("sandbox_failing", succeed).await.unwrap();
}

#[tokio::test]
async fn each_caller_gets_a_redis_database_of_its_own() {
    let (first, second) = (testing::redis().await.unwrap(), testing::redis().await.unwrap());
    assert_ne!(first, second);
}
