//! The servers that tests share.

use std::{
    env,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::OnceCell;
use url::Url;

use crate::{Error, Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder, redis};

/// The superuser's URL of the PostgreSQL that tests share; set by `with-servers`.
pub const POSTGRES_VARIABLE: &str = "CRM_TEST_POSTGRES";
/// The URL of the Redis that tests share; set by `with-servers`.
pub const REDIS_VARIABLE: &str = "CRM_TEST_REDIS";

/// The PostgreSQL that the tests of this run share.
#[derive(Debug)]
pub struct TestPostgres {
    admin_url: Url,
    // Never dropped, being in a static: the kernel and the folder's watchdog clean up after the process.
    _own: Option<(Postgres, TemporaryFolder)>,
}

impl TestPostgres {
    /// The superuser's URL of the database `postgres`.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        self.admin_url.as_str()
    }

    /// The superuser's URL of another database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.database(database).into()
    }

    pub(super) fn database(&self, name: &str) -> Url {
        with_database(&self.admin_url, name)
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
    static SERVER: OnceCell<(Url, Option<(Redis, TemporaryFolder)>)> = OnceCell::const_new();
    let (url, _own) = SERVER.get_or_try_init(|| blocking(start_redis)).await?;
    let number = own_number(url).to_string();
    Ok(match socket(url) {
        Some(_) => url.clone().query_pairs_mut().append_pair("db", &number).finish().to_string(),
        None => with_database(url, &number).into(),
    })
}

fn start_postgres() -> Result<TestPostgres, Error> {
    if let Ok(admin_url) = env::var(POSTGRES_VARIABLE) {
        return Ok(TestPostgres { admin_url: parse(&admin_url)?, _own: None });
    }
    let folder = TemporaryFolder::new("crm-test-postgres")?;
    let server = Postgres::start(&folder.path().join("postgres"), PostgresSettings::for_tests())?;
    Ok(TestPostgres { admin_url: parse(&server.url("postgres"))?, _own: Some((server, folder)) })
}

fn start_redis() -> Result<(Url, Option<(Redis, TemporaryFolder)>), Error> {
    if let Ok(url) = env::var(REDIS_VARIABLE) {
        return Ok((parse(&url)?, None));
    }
    let folder = TemporaryFolder::new("crm-test-redis")?;
    let server = Redis::start(&folder.path().join("redis"), RedisSettings::for_tests())?;
    Ok((parse(&server.url())?, Some((server, folder))))
}

fn parse(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| Error::io("reading a server's URL")(std::io::Error::other(error)))
}

/// Counted by the server itself in its database 0, since several test programs share it.
fn own_number(url: &Url) -> u32 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    const OF_A_PLAIN_SERVER: u32 = 15;
    let counted = socket(url).and_then(|path| redis::ask(&path, None, &["INCR", "crm-sandbox:databases"]).ok());
    let parsed = counted.and_then(|answer| answer.strip_prefix(':').and_then(|number| number.parse().ok()));
    parsed.unwrap_or_else(|| COUNTER.fetch_add(1, Ordering::Relaxed) % OF_A_PLAIN_SERVER + 1)
}

fn socket(url: &Url) -> Option<PathBuf> {
    url.scheme().ends_with("unix").then(|| url.to_file_path().ok())?
}

/// The same URL with another database as its path.
fn with_database(url: &Url, database: &str) -> Url {
    let mut url = url.clone();
    url.set_path(database);
    url
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let joined = tokio::task::spawn_blocking(f).await;
    joined.unwrap_or_else(|error| Err(Error::io("starting a server for tests")(std::io::Error::other(error))))
}

#[cfg(test)]
mod tests {
    use super::{parse, with_database};

    #[test]
    fn database_of_a_url_is_replaced() {
        let check = |url: &str, expected: &str| assert_eq!(with_database(&parse(url).unwrap(), "x").as_str(), expected);
        check("postgres://p@localhost:5432/postgres?host=/tmp/s", "postgres://p@localhost:5432/x?host=/tmp/s");
        check("postgres://p:pw@db/postgres", "postgres://p:pw@db/x");
        check("postgres://db", "postgres://db/x");
        check("postgres://db?host=/tmp/s", "postgres://db/x?host=/tmp/s");
    }
}
