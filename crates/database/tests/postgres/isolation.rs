//! A tenant sees its rows and no others, whatever the statement forgets.

use crate::support::{Notes, OTHER_TENANT, ROLE, TENANT};
use crm_database::Error;
use sqlx::{Connection, PgConnection};

async fn state_of(notes: &Notes, sql: &'static str) -> Option<String> {
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    match transaction.execute("attempt", sqlx::query(sql)).await {
        Ok(_) => None,
        Err(Error::Fault(fault)) => fault.sqlstate,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn statement_without_a_predicate_sees_one_tenant() {
    let notes = Notes::new().await;
    notes.write(TENANT, "mine").await.unwrap();
    notes.write(OTHER_TENANT, "theirs").await.unwrap();
    assert_eq!(notes.texts(TENANT).await, ["mine"]);
    assert_eq!(notes.texts(OTHER_TENANT).await, ["theirs"]);
}

#[tokio::test]
async fn rows_of_another_tenant_can_neither_be_written_nor_changed() {
    let notes = Notes::new().await;
    notes.write(OTHER_TENANT, "theirs").await.unwrap();
    let theirs = "insert into notes.notes (tenant_id, text) values ('00000000-0000-0000-0000-000000000002', 'forged')";
    assert_eq!(state_of(&notes, theirs).await.as_deref(), Some("42501"));
    assert_eq!(state_of(&notes, "update notes.notes set text = 'changed'").await, None);
    assert_eq!(state_of(&notes, "delete from notes.notes").await, None);
    assert_eq!(notes.texts(OTHER_TENANT).await, ["theirs"]);
}

#[tokio::test]
async fn role_cannot_lift_the_protection() {
    let notes = Notes::new().await;
    let check = async |sql: &'static str| {
        assert_eq!(state_of(&notes, sql).await.as_deref(), Some("42501"), "{sql}");
    };
    check("alter table notes.notes disable row level security").await;
    check("drop policy notes_tenant on notes.notes").await;
    check("create policy all_notes on notes.notes using (true)").await;
    check("truncate notes.notes").await;
    check("drop table notes.notes").await;
    check("create table notes.mine (id uuid)").await;
    check("select * from notes.migrations").await;
    check("alter role crm_notes bypassrls").await;
    check("set role postgres").await;
}

#[tokio::test]
async fn row_security_off_fails_instead_of_showing_all() {
    let notes = Notes::new().await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    transaction.execute("off", sqlx::query("set local row_security = off")).await.unwrap();
    let result = transaction.execute("all", sqlx::query("select * from notes.notes")).await;
    assert!(matches!(result, Err(Error::Fault(fault)) if fault.sqlstate.as_deref() == Some("42501")));
}

#[tokio::test]
async fn connection_without_a_tenant_sees_nothing_before_and_after_one() {
    let notes = Notes::new().await;
    notes.write(TENANT, "mine").await.unwrap();
    let mut connection = PgConnection::connect(&notes.home.url_as(ROLE, "secret")).await.unwrap();
    let count = async |connection: &mut PgConnection| -> i64 {
        sqlx::query_scalar("select count(*) from notes.notes").fetch_one(connection).await.unwrap()
    };
    assert_eq!(count(&mut connection).await, 0);
    // After a transaction that set it, the setting is an empty text and no longer null.
    let mut transaction = connection.begin().await.unwrap();
    let tenant = sqlx::query("select set_config('crm.tenant', $1, true)").bind(TENANT.to_string());
    tenant.execute(&mut *transaction).await.unwrap();
    assert_eq!(count(&mut transaction).await, 1);
    transaction.commit().await.unwrap();
    assert_eq!(count(&mut connection).await, 0);
}

#[tokio::test]
async fn constraint_is_reported_by_its_name_and_without_values() {
    let notes = Notes::new().await;
    notes.write(TENANT, "secret text").await.unwrap();
    let error = notes.write(TENANT, "secret text").await.unwrap_err();
    assert_eq!(error.constraint(), Some("notes_text_key"));
    assert!(!format!("{error} {error:?}").contains("secret text"));
    let error = notes.write(TENANT, &"x".repeat(101)).await.unwrap_err();
    assert_eq!(error.constraint(), Some("notes_text_length"));
    // Unique within a tenant only: nobody learns what another tenant has.
    notes.write(OTHER_TENANT, "secret text").await.unwrap();
}
