//! Servers that will not have us: told in their words at the start, and no defect later.

use std::path::Path;

use crm_database::{Database, Error, Settings};
use crm_sandbox::{Postgres, PostgresSettings, TemporaryFolder};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{TENANT, empty};

/// What starting ends with, which shows no secret.
async fn refusal(url: String) -> Error {
    let error = Database::connect(&Settings::new(url)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    error
}

fn check(error: &Error, sqlstate: &str, words: &str) {
    assert!(error.is_lasting() && error.class() == sqlstate, "{error:?}");
    let told = format!("refused by the database ({sqlstate}: ");
    assert!(error.to_string().starts_with(&told) && error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn what_will_not_pass_by_itself_is_told_in_the_servers_words() {
    let home = empty().await;
    let mut owner = PgConnection::connect(home.url()).await.unwrap();
    check(&refusal(home.url_as("nobody_of_this_name", "secret")).await, "28000", "nobody_of_this_name");
    let nowhere = home.url().replace(home.name(), "no_such_database");
    check(&refusal(nowhere).await, "3D000", "no_such_database");
    let role = format!("crm_{}", home.name());
    for statement in
        [format!("create role {role} login"), format!("revoke connect on database {} from public", home.name())]
    {
        owner.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    check(&refusal(home.url_as(&role, "secret")).await, "42501", home.name());
    // This one passes: others may go.
    for statement in [
        format!("grant connect on database {} to {role}", home.name()),
        format!("alter role {role} connection limit 0"),
    ] {
        owner.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let full =
        Settings { acquire_timeout: std::time::Duration::from_millis(100), ..Settings::new(home.url_as(&role, "")) };
    let database = Database::connect(&full).await.unwrap();
    let error = database.begin(TENANT, None).await.unwrap_err();
    assert!(error.is_retryable() && !error.is_lasting(), "{error:?}");
    owner.execute(AssertSqlSafe(format!("drop owned by {role}; drop role {role}"))).await.unwrap();
}

/// A server that asks for passwords.
async fn strict(folder: &Path) -> (Postgres, PgConnection) {
    let home = folder.join("postgres");
    let server = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    let mut owner = PgConnection::connect(&server.url("postgres")).await.unwrap();
    owner.execute("create role library login password 'first secret'").await.unwrap();
    let rules = home.join("data/pg_hba.conf");
    let before = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("local all library scram-sha-256\n{before}")).unwrap();
    owner.execute("select pg_reload_conf()").await.unwrap();
    (server, owner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_password_ends_the_start_and_is_no_defect_of_a_service_that_runs() {
    let folder = TemporaryFolder::new("crm-database-strict").unwrap();
    let (server, mut owner) = strict(folder.path()).await;
    let with =
        |password: &str| server.url_as("library", "postgres").replace("library@", &format!("library:{password}@"));
    crate::support::until("passwords are asked for", async || {
        Database::connect(&Settings::new(with("x"))).await.is_err()
    })
    .await;
    check(&refusal(with("wrong%20secret")).await, "28P01", "password authentication failed");

    let database = Database::connect(&Settings::new(with("first%20secret"))).await.unwrap();
    crate::support::until("back", async || database.state().used() == 0).await;
    let held = database.begin(TENANT, None).await.unwrap();
    owner.execute("alter role library password 'second secret'").await.unwrap();
    let error = database.begin(TENANT, None).await.unwrap_err();
    check(&error, "28P01", "password authentication failed");
    assert_eq!(error.reason(), "DATABASE_UNAVAILABLE");
    drop(held);
    crate::support::until("what is open still serves", async || database.begin(TENANT, None).await.is_ok()).await;
}
