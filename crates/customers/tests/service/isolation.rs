//! What Postgres itself keeps apart, whatever the service's statements say.

use crm_customers::SERVICE;
use crm_customers::seed::{self, SeedSize};
use crm_database::{ConstraintKind, Error};
use crm_resource::testkit::check_walls;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::support::{database, pool};

async fn rows(connection: &mut PgConnection, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("select count(*) from customers.{table}"));
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn without_a_predicate_a_tenant_sees_its_own_rows_and_nobody_sees_all() {
    let own = database().await;
    let pool = pool(&own).await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let size = SeedSize { accounts: 30, contacts: 60 };
    seed::demo(&pool, one, size, |_| ()).await.unwrap();
    seed::demo(&pool, two, SeedSize { accounts: 10, contacts: 20 }, |_| ()).await.unwrap();

    for (tenant, accounts, contacts) in [(one, 30, 60), (two, 10, 20), (Uuid::from_u128(3), 0, 0)] {
        let mut transaction = pool.begin_read(tenant, None).await.unwrap();
        assert_eq!(rows(&mut transaction, "accounts").await, accounts);
        assert_eq!(rows(&mut transaction, "contacts").await, contacts);
        assert!(rows(&mut transaction, "contact_emails").await >= contacts);
    }
}

#[tokio::test]
async fn a_row_for_another_tenant_is_refused() {
    let own = database().await;
    let pool = pool(&own).await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let insert = "insert into customers.accounts (tenant_id, id, name, name_key) values ($1, $2, 'x', 'x')";
    let mut transaction = pool.begin(one, None).await.unwrap();
    let foreign = transaction.execute("insert", sqlx::query(insert).bind(two).bind(Uuid::now_v7())).await;
    assert!(matches!(foreign, Err(Error::Fault(fault)) if fault.sqlstate.as_deref() == Some("42501")));

    let mut transaction = pool.begin(one, None).await.unwrap();
    transaction.execute("insert", sqlx::query(insert).bind(one).bind(Uuid::now_v7())).await.unwrap();
    let update = "update customers.accounts set tenant_id = $1";
    assert!(transaction.execute("move", sqlx::query(update).bind(two)).await.is_err());
}

#[tokio::test]
async fn the_role_owns_nothing_and_bypasses_nothing() {
    let own = database().await;
    seed::demo(&pool(&own).await, Uuid::from_u128(1), SeedSize { accounts: 3, contacts: 9 }, |_| ()).await.unwrap();
    check_walls(&SERVICE, &own).await;
}

#[tokio::test]
async fn a_reference_into_another_tenant_is_refused() {
    let own = database().await;
    let pool = pool(&own).await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let account = Uuid::now_v7();
    let mut transaction = pool.begin(one, None).await.unwrap();
    let insert =
        "insert into customers.accounts (tenant_id, id, name, name_key, parent_id) values ($1, $2, 'x', 'x', $3)";
    let query = sqlx::query(insert).bind(one).bind(account).bind(None::<Uuid>);
    transaction.execute("insert", query).await.unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = pool.begin(two, None).await.unwrap();
    let child = transaction.execute("insert", sqlx::query(insert).bind(two).bind(Uuid::now_v7()).bind(account)).await;
    let Err(Error::Constraint(constraint)) = child else { panic!("{child:?}") };
    assert_eq!((constraint.name.as_str(), constraint.kind), ("accounts_parent_fkey", ConstraintKind::ForeignKey));
}
