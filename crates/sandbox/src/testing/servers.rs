//! The servers that tests share.

use std::{
    env,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::OnceCell;

use crate::{Error, Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder, redis};

/// The superuser's URL of the PostgreSQL that tests share; set by `with-servers`.
pub const POSTGRES_VARIABLE: &str = "CRM_TEST_POSTGRES";
/// The URL of the Redis that tests share; set by `with-servers`.
pub const REDIS_VARIABLE: &str = "CRM_TEST_REDIS";

/// The PostgreSQL that the tests of this run share.
#[derive(Debug)]
pub struct TestPostgres {
    admin_url: String,
    // Never dropped, being in a static: the kernel and the folder's watchdog clean up after the process.
    _own: Option<(Postgres, TemporaryFolder)>,
}

impl TestPostgres {
    /// The superuser's URL of the database `postgres`.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The superuser's URL of another database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        with_database(&self.admin_url, database)
    }
}

/// The PostgreSQL of this run, started at the first call unless `CRM_TEST_POSTGRES` names one.
///
/// # Errors
/// What is missing, or how the server's log ended.
pub async fn postgres() -> Result<&'static TestPostgres, Error> {
    static SERVER: OnceCell<TestPostgres> = OnceCell::const_new();
    SERVER.get_or_try_init(|| blocking(start_postgres)).await
}

/// A Redis URL with a numbered database that no other test of this run uses. Channels of publish and subscribe are
/// shared by all databases of a server: name them after something unique, or start a [`Redis`] of your own.
///
/// # Errors
/// What is missing, or how the server's log ended.
pub async fn redis() -> Result<String, Error> {
    static SERVER: OnceCell<(String, Option<(Redis, TemporaryFolder)>)> = OnceCell::const_new();
    let (url, _own) = SERVER.get_or_try_init(|| blocking(start_redis)).await?;
    let number = own_number(url);
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(if is_socket(url) { format!("{url}{separator}db={number}") } else { format!("{url}/{number}") })
}

fn start_postgres() -> Result<TestPostgres, Error> {
    if let Ok(admin_url) = env::var(POSTGRES_VARIABLE) {
        return Ok(TestPostgres { admin_url, _own: None });
    }
    let folder = TemporaryFolder::new("crm-test-postgres")?;
    let server = Postgres::start(&folder.path().join("postgres"), PostgresSettings::for_tests())?;
    Ok(TestPostgres { admin_url: server.url("postgres"), _own: Some((server, folder)) })
}

fn start_redis() -> Result<(String, Option<(Redis, TemporaryFolder)>), Error> {
    if let Ok(url) = env::var(REDIS_VARIABLE) {
        return Ok((url, None));
    }
    let folder = TemporaryFolder::new("crm-test-redis")?;
    let server = Redis::start(&folder.path().join("redis"), RedisSettings::for_tests())?;
    Ok((server.url(), Some((server, folder))))
}

/// Counted by the server itself in its database 0, since several test programs share it.
fn own_number(url: &str) -> u32 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    const OF_A_PLAIN_SERVER: u32 = 15;
    let path = url.strip_prefix("redis+unix://").map(Path::new);
    let counted = path.and_then(|path| redis::ask(path, None, &["INCR", "crm-sandbox:databases"]).ok());
    let parsed = counted.and_then(|answer| answer.strip_prefix(':').and_then(|number| number.parse().ok()));
    parsed.unwrap_or_else(|| COUNTER.fetch_add(1, Ordering::Relaxed) % OF_A_PLAIN_SERVER + 1)
}

fn is_socket(url: &str) -> bool {
    url.starts_with("redis+unix:") || url.starts_with("unix:")
}

/// The same URL with another database as its path.
fn with_database(url: &str, database: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let path = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    let query = url[path..].find('?').map_or("", |at| &url[path + at..]);
    format!("{}/{database}{query}", &url[..path])
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let joined = tokio::task::spawn_blocking(f).await;
    joined.unwrap_or_else(|error| Err(Error::io("starting a server for tests")(std::io::Error::other(error))))
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn database_of_a_url_is_replaced() {
        let check = |url: &str, expected: &str| assert_eq!(with_database(url, "x"), expected);
        check("postgres://p@localhost:5432/postgres?host=/tmp/s", "postgres://p@localhost:5432/x?host=/tmp/s");
        check("postgres://p:pw@db/postgres", "postgres://p:pw@db/x");
        check("postgres://db", "postgres://db/x");
        check("postgres://db?host=/tmp/s", "postgres://db/x?host=/tmp/s");
    }
}
