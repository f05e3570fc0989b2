//! The walls between tenants, and between a service and the owner of its tables.

use crm_sandbox::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::storage;
use crate::{Service, Storage};

/// The service's role bypasses nothing and owns nothing, every table is behind row-level security, which shows nothing
/// without a tenant; every index says which question it answers, and the owner may make the keys of every resource anew.
pub async fn check_walls(service: &Service, database: &TestDatabase) {
    let Storage { role, schema, .. } = *storage(service);
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let strong = "select rolbypassrls or rolsuper from pg_roles where rolname = $1";
    assert!(!sqlx::query_scalar::<_, bool>(strong).bind(role).fetch_one(&mut owner).await.unwrap());
    let open = "select relname::text from pg_class where relnamespace = $1::regnamespace and relkind = 'r' \
                and relname <> 'migrations' and not (relrowsecurity and relforcerowsecurity) or relowner = $2::regrole";
    let open: Vec<String> = sqlx::query_scalar(open).bind(schema).bind(role).fetch_all(&mut owner).await.unwrap();
    assert_eq!(open, Vec::<String>::new());
    let unnamed = "select indexrelid::regclass::text from pg_index join pg_class on pg_class.oid = indrelid \
                   where relnamespace = $1::regnamespace and relname <> 'migrations' and not indisprimary \
                   and obj_description(indexrelid) is null";
    let unnamed: Vec<String> = sqlx::query_scalar(unnamed).bind(schema).fetch_all(&mut owner).await.unwrap();
    assert_eq!(unnamed, Vec::<String>::new(), "indexes that do not say which question they answer");

    let keys = "select tablename::text from pg_policies where schemaname = $1 and policyname = tablename || '_keys' \
                and roles <> '{public}' and qual like '%crm.make_keys%' order by tablename";
    let keys: Vec<String> = sqlx::query_scalar(keys).bind(schema).fetch_all(&mut owner).await.unwrap();
    let mut plurals: Vec<_> = service.resources().iter().map(|resource| resource.kind.plural).collect();
    plurals.sort_unstable();
    assert_eq!(keys, plurals, "resources whose keys `crm migrate` can make anew");

    let tables = "select relname::text from pg_class join pg_attribute on attrelid = pg_class.oid \
                  where relnamespace = $1::regnamespace and relkind = 'r' and attname = 'tenant_id'";
    let tables: Vec<String> = sqlx::query_scalar(tables).bind(schema).fetch_all(&mut owner).await.unwrap();
    assert!(!tables.is_empty());
    let mut service = PgConnection::connect(&database.url_as(role, "")).await.unwrap();
    for state in ["without a tenant", "with an empty tenant"] {
        for table in &tables {
            let count = AssertSqlSafe(format!("select count(*) from {schema}.{table}"));
            let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut service).await.unwrap();
            assert_eq!(rows, 0, "{table} {state}");
        }
        let empty = "select set_config('crm.tenant', '', false)";
        sqlx::query(empty).execute(&mut service).await.unwrap();
    }
}
