//! A service of two tables in a database of its own.

use std::time::Duration;

use crm_database::idempotency::{Idempotency, TABLE};
use crm_database::migrate::{MigrateError, Role, migrate};
use crm_database::{Database, Settings};
use crm_sandbox::testing::{TestDatabase, database, template_database};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use uuid::Uuid;

const NOTES_SQL: &str = "
create table notes.notes (
    tenant_id uuid not null default nullif(current_setting('crm.tenant', true), '')::uuid,
    id uuid not null default gen_random_uuid(),
    text text collate \"C\" not null,
    constraint notes_pkey primary key (tenant_id, id),
    constraint notes_text_key unique (tenant_id, text),
    constraint notes_text_length check (char_length(text) <= 100)
);
alter table notes.notes enable row level security;
alter table notes.notes force row level security;
create policy notes_tenant on notes.notes using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
";

pub(crate) const ROLE: &str = "crm_notes";
pub(crate) const TENANT: Uuid = Uuid::from_u128(1);
pub(crate) const OTHER_TENANT: Uuid = Uuid::from_u128(2);

pub(crate) fn migration(version: i64, sql: impl Into<String>) -> Migration {
    let sql = AssertSqlSafe(sql.into()).into_sql_str();
    Migration::new(version, "test".into(), MigrationType::Simple, sql, false)
}

pub(crate) fn migrations() -> Migrator {
    let idempotency = TABLE.sql.replace("{schema}", "notes");
    Migrator::with_migrations(vec![migration(1, NOTES_SQL), migration(2, idempotency)])
}

pub(crate) fn role() -> Role {
    Role { name: ROLE.to_owned(), schema: "notes".to_owned(), password: Some("it's \\ secret".to_owned()) }
}

pub(crate) async fn migrate_notes(url: String) -> Result<(), MigrateError> {
    migrate(&url, &migrations(), &role()).await
}

/// A migrated database and the service's pool of connections to it.
pub(crate) struct Notes {
    pub(crate) database: Database,
    pub(crate) idempotency: Idempotency,
    pub(crate) home: TestDatabase,
}

impl Notes {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let home = template_database("database_notes", migrate_notes).await.unwrap().database().await.unwrap();
        let mut settings = Settings::new(home.url_as(ROLE, "secret"));
        change(&mut settings);
        let database = Database::connect(&settings).await.unwrap();
        Self { database, idempotency: Idempotency::new("notes").unwrap(), home }
    }

    pub(crate) async fn write(&self, tenant: Uuid, text: &str) -> Result<(), crm_database::Error> {
        let mut transaction = self.database.begin(tenant, None).await?;
        transaction
            .execute("insert_note", sqlx::query("insert into notes.notes (text) values ($1)").bind(text))
            .await?;
        transaction.commit().await
    }

    /// All texts that the tenant sees, without a predicate of our own.
    pub(crate) async fn texts(&self, tenant: Uuid) -> Vec<String> {
        let mut transaction = self.database.begin_read(tenant, None).await.unwrap();
        let all = sqlx::query("select text from notes.notes order by text");
        let rows: Vec<(String,)> = transaction.fetch_all("all_notes", all).await.unwrap();
        rows.into_iter().map(|(text,)| text).collect()
    }
}

/// An empty database.
pub(crate) async fn empty() -> TestDatabase {
    database().await.unwrap()
}

/// Waits until the condition holds, 10 s at most.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < limit, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
