//! Migrations: once, however often and by however many.

use crm_database::idempotency::TABLE;
use crm_database::migrate::{MigrateError, Role, check_copy, migrate};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinSet;

use crate::support::{empty, migrate_notes, migration, migrations, role};

fn own_role(name: &str) -> Role {
    Role { name: format!("crm_{name}_{}", uuid::Uuid::new_v4().simple()), ..role() }
}

#[tokio::test]
async fn many_at_once_migrate_once() {
    let home = empty().await;
    let role = own_role("many");
    let mut all = JoinSet::new();
    for _ in 0..6 {
        let (url, role) = (home.url().to_owned(), role.clone());
        all.spawn(async move { migrate(&url, &migrations(), &role).await });
    }
    all.join_all().await.into_iter().for_each(|result| result.unwrap());
    let mut owner = PgConnection::connect(home.url()).await.unwrap();
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from notes.migrations order by 1").fetch_all(&mut owner).await.unwrap();
    assert_eq!(applied, [1, 2]);
}

#[tokio::test]
async fn databases_of_one_server_share_a_role_without_a_quarrel() {
    let (one, two) = (empty().await, empty().await);
    let role = own_role("shared");
    let mut all = JoinSet::new();
    for url in [one.url(), two.url(), one.url(), two.url()] {
        let (url, role) = (url.to_owned(), role.clone());
        all.spawn(async move { migrate(&url, &migrations(), &role).await });
    }
    all.join_all().await.into_iter().for_each(|result| result.unwrap());
}

#[tokio::test]
async fn second_run_changes_nothing_and_later_migrations_are_added() {
    let home = empty().await;
    migrate_notes(home.url().to_owned()).await.unwrap();
    migrate_notes(home.url().to_owned()).await.unwrap();
    let later = "create table notes.colours (name text primary key)";
    let mut all: Vec<_> = migrations().migrations.to_vec();
    all.push(migration(3, later));
    migrate(home.url(), &Migrator::with_migrations(all), &role()).await.unwrap();
    let mut service = PgConnection::connect(&home.url_as(&role().name, "any")).await.unwrap();
    service.execute("insert into notes.colours values ('red')").await.unwrap();
}

#[tokio::test]
async fn failed_migration_is_named_and_leaves_nothing_behind() {
    let home = empty().await;
    let broken = "create table notes.half (id uuid); select no_such_function()";
    let migrator = Migrator::with_migrations(vec![migration(1, broken)]);
    let error = migrate(home.url(), &migrator, &role()).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Migration { schema, .. } if schema == "notes"));
    assert!(error.to_string().contains('1'), "{error}");
    let mut owner = PgConnection::connect(home.url()).await.unwrap();
    let half: Option<String> =
        sqlx::query_scalar("select to_regclass('notes.half')::text").fetch_one(&mut owner).await.unwrap();
    assert_eq!(half, None);
}

#[tokio::test]
async fn changed_migration_is_refused() {
    let home = empty().await;
    migrate_notes(home.url().to_owned()).await.unwrap();
    let changed = Migrator::with_migrations(vec![migration(1, "select 1"), migrations().migrations[1].clone()]);
    let error = migrate(home.url(), &changed, &role()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Migration { .. }), "{error}");
}

#[tokio::test]
async fn table_with_a_tenant_and_without_protection_is_refused() {
    let check = async |sql: &str, refused: bool| {
        let home = empty().await;
        let result = migrate(home.url(), &Migrator::with_migrations(vec![migration(1, sql)]), &role()).await;
        match result {
            Err(MigrateError::Unprotected(tables)) => assert!(refused && tables == ["notes.t"], "{sql}: {tables:?}"),
            other => assert!(other.is_ok() && !refused, "{sql}: {other:?}"),
        }
    };
    let table = "create table notes.t (tenant_id uuid);";
    let enable = "alter table notes.t enable row level security;";
    let force = "alter table notes.t force row level security;";
    let policy = "create policy p on notes.t using (true);";
    check(table, true).await;
    check(&format!("{table}{enable}{policy}"), true).await;
    check(&format!("{table}{enable}{force}"), true).await;
    check(&format!("{table}{enable}{force}{policy}"), false).await;
    check("create table notes.t (id uuid)", false).await;
}

/// A migration is written once, and the statements that use its table are those of whichever release runs.
#[tokio::test]
async fn table_of_request_ids_that_is_not_the_expected_one_is_refused() {
    let home = empty().await;
    migrate_notes(home.url().to_owned()).await.unwrap();
    let mut owner = PgConnection::connect(home.url()).await.unwrap();
    check_copy(&mut owner, "notes", &TABLE).await.unwrap();
    let mut check = async |change: &str, told: &[&str]| {
        let mut transaction = owner.begin().await.unwrap();
        transaction.execute(AssertSqlSafe(change.to_owned())).await.unwrap();
        let error = check_copy(&mut transaction, "notes", &TABLE).await.unwrap_err();
        transaction.rollback().await.unwrap();
        let error_text = error.to_string();
        assert!(matches!(error, MigrateError::Copied { schema, .. } if schema == "notes"), "{error_text}");
        assert!(told.iter().all(|word| error_text.contains(word)), "{change}: {error_text}");
    };
    let table = "notes.idempotency_keys";
    check(&format!("drop table {table} cascade"), &["lacks idempotency_keys column tenant_id uuid not null"]).await;
    check(&format!("alter table {table} drop column answer cascade"), &["lacks idempotency_keys column answer bytea"])
        .await;
    check(
        &format!("alter table {table} alter answer type text using null"),
        &["lacks idempotency_keys column answer bytea", "has idempotency_keys column answer text"],
    )
    .await;
    check(
        &format!("alter table {table} alter tenant_id drop default"),
        &["has idempotency_keys column tenant_id uuid not null"],
    )
    .await;
    check(
        &format!("alter table {table} no force row level security"),
        &["has idempotency_keys row-level security t, forced f"],
    )
    .await;
    check(&format!("create policy open on {table} using (true)"), &["has policy open for * to public using true"])
        .await;
    check(&format!("alter policy idempotency_keys_sweep on {table} to public"), &["has policy idempotency_keys_sweep"])
        .await;
    check(
        &format!(
            "alter table {table} drop constraint idempotency_keys_pkey, add constraint idempotency_keys_pkey \
                  primary key (tenant_id, request_id)"
        ),
        &["lacks constraint idempotency_keys_pkey PRIMARY KEY (tenant_id, scope, request_id)"],
    )
    .await;
    check("drop index notes.idempotency_keys_create_time_idx", &["lacks CREATE INDEX"]).await;
    check("alter function notes.sweep_idempotency_keys security invoker", &["lacks CREATE OR REPLACE FUNCTION"]).await;
    let left: i64 = sqlx::query_scalar("select count(*) from pg_namespace where nspname like 'crm_expected%'")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(left, 0, "the comparison leaves something behind");
}

#[tokio::test]
async fn role_that_could_see_every_tenant_is_refused() {
    let home = empty().await;
    let mut owner = PgConnection::connect(home.url()).await.unwrap();
    let mut check = async |attribute: &str| {
        let role = own_role("strong");
        let create = format!("create role {} login {attribute}", role.name);
        owner.execute(AssertSqlSafe(create)).await.unwrap();
        let result = migrate(home.url(), &migrations(), &role).await;
        assert!(matches!(result, Err(MigrateError::Role { .. })), "{attribute}: {result:?}");
    };
    check("superuser").await;
    check("bypassrls").await;
    check("createrole").await;
    check("in role postgres").await;
    let owner_itself = Role { name: "postgres".to_owned(), password: None, ..role() };
    assert!(matches!(migrate(home.url(), &migrations(), &owner_itself).await, Err(MigrateError::Role { .. })));
}

#[tokio::test]
async fn names_that_need_quotes_are_refused_before_anything_is_done() {
    let check = async |role: Role| {
        // Nobody listens there: the answer comes without a connection.
        let result = migrate("postgres://nobody@127.0.0.1:1/none", &migrations(), &role).await;
        let error = result.unwrap_err().to_string();
        assert!(error.contains("lower-case letters"), "{error}");
    };
    check(Role { name: "a b".to_owned(), ..role() }).await;
    check(Role { schema: "x; drop".to_owned(), ..role() }).await;
}

#[test]
fn password_is_not_shown() {
    assert!(!format!("{:?}", role()).contains("secret"));
}
