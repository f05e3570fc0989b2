//! Rows that were there before their keys were made as they are now.

use crate::support::app;
use crm_database::migrate::{self, Role};
use crm_sandbox::testing::{self, TestDatabase};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{Service, tenant};
use crate::values::{accounts, contacts};

static MIGRATOR: Migrator = sqlx::migrate!();

/// Keys as the first release made them, of two tenants; one row is right already.
const OLD_ROWS: &str = "
    insert into customers.accounts (tenant_id, id, name, name_key, industry, territory, owner)
    select tenant, ('00000000-0000-7000-8000-00000000000' || n)::uuid, name, lower(name), 'straßenbau',
        U&'No\\200brd', U&'Zoe\\0308'
    from (values (1, '{tenant}'::uuid, 'Straße'), (2, '{tenant}'::uuid, 'Acme'), (3, md5('other')::uuid, 'İzmir'))
        rows (n, tenant, name);
    insert into customers.contacts (tenant_id, id, account_id, family_name, family_name_key, owner)
    select tenant_id, id, id, 'Groß', 'groß', owner from customers.accounts";

/// An owner that may create roles and bypasses nothing: row-level security is forced upon it, too.
const OWNER: &str = "crm_test_owner";
const PLAIN_OWNER: &str = "
    do $$ begin create role {owner} login createrole; exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin execute format('grant all on database %I to {owner}', current_database()); end $$;
    alter schema customers owner to {owner};
    alter table customers.migrations owner to {owner};
    alter table customers.accounts owner to {owner};
    alter table customers.contacts owner to {owner};
    alter table customers.contact_emails owner to {owner};
    alter table customers.idempotency_keys owner to {owner};
    alter function customers.sweep_idempotency_keys owner to {owner}";

/// A database as the first release left it, and its owner's URL.
async fn of_the_first_release() -> (TestDatabase, String) {
    let database = testing::database().await.unwrap();
    let first = MIGRATOR.migrations.iter().filter(|migration| migration.version <= 3).cloned().collect::<Vec<_>>();
    let first = Migrator { migrations: first.into(), ..Migrator::DEFAULT };
    let role = Role { name: app::ROLE.to_owned(), schema: app::SCHEMA.to_owned(), password: None };
    migrate::migrate(database.url(), &first, &role).await.unwrap();
    as_superuser(&database, &PLAIN_OWNER.replace("{owner}", OWNER)).await;
    as_superuser(&database, &OLD_ROWS.replace("{tenant}", &tenant().to_string())).await;
    let url = database.url_as(OWNER, "");
    (database, url)
}

async fn as_superuser(database: &TestDatabase, statements: &str) {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    connection.execute(AssertSqlSafe(statements)).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn keys_of_rows_that_there_are_are_made_anew_and_once() {
    let (database, url) = of_the_first_release().await;
    crm_customers::SERVICE.migrate(&url, None).await.unwrap();
    let redis_url = testing::redis().await.unwrap();
    let service = Service::start(&database.url_as(app::ROLE, ""), &redis_url).await;
    let agent = service.caller("acme", crm_server::token::Role::Agent);
    for (filter, found) in [
        ("name = \"STRASSE\"", 1),
        ("name = \"acme\"", 1),
        ("industry = \"Strassenbau\"", 2),
        ("territory = \"Nord\"", 2),
        ("owner = \"Zo\u{eb}\"", 2),
    ] {
        assert_eq!(accounts(&agent, filter).await.len(), found, "{filter}");
    }
    assert_eq!(contacts(&agent, "family_name = \"GROSS*\" AND owner = \"Zo\u{eb}\"").await.len(), 2);

    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let keys = "select name_key, version, update_time = create_time, (select version from customers.key_state) \
                from customers.accounts where name = 'İzmir'";
    let row: (String, i64, bool, i32) = sqlx::query_as(keys).fetch_one(&mut owner).await.unwrap();
    // Nothing that anybody could see has changed.
    assert_eq!(row, ("izmir".to_owned(), 1, true, crm_values::KEYS));

    // Rows are not gone through at each start, only where the code is ahead.
    let count = "select count(*) from customers.accounts where name_key = 'spoilt'";
    for (version, spoilt) in [(crm_values::KEYS, 3), (crm_values::KEYS - 1, 0)] {
        let spoil = format!(
            "update customers.accounts set name_key = 'spoilt'; update customers.key_state set version = {version}"
        );
        as_superuser(&database, &spoil).await;
        crm_customers::SERVICE.migrate(&url, None).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut owner).await.unwrap(), spoilt);
    }
    service.stop().await;
}

#[tokio::test]
async fn keys_beyond_one_batch_are_made_anew() {
    let database = testing::database().await.unwrap();
    crm_customers::SERVICE.migrate(database.url(), None).await.unwrap();
    let rows = "insert into customers.accounts (tenant_id, id, name, name_key) \
                select md5('t' || n % 3)::uuid, md5('a' || n)::uuid, 'Groß', 'groß' from generate_series(1, 2500) n; \
                update customers.key_state set version = 1";
    as_superuser(&database, rows).await;
    crm_customers::SERVICE.migrate(database.url(), None).await.unwrap();
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let keys = "select distinct name_key from customers.accounts";
    assert_eq!(sqlx::query_scalar::<_, String>(keys).fetch_all(&mut owner).await.unwrap(), ["gross"]);
}
