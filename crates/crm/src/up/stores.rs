//! PostgreSQL and Redis: private ones, or those that the environment names.

use std::path::PathBuf;

use anyhow::Context;
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings};

use crate::failure::Failure;
use crate::keys;
use crate::places::Places;

/// An owner's URL: replaces the private PostgreSQL.
const DATABASE_URL: &str = "CRM_DATABASE_URL";
/// Replaces the private Redis.
const REDIS_URL: &str = "CRM_REDIS_URL";
/// The database in the private PostgreSQL.
const DATABASE: &str = "bellwether";
/// The role that the customers service connects with.
const CUSTOMERS_ROLE: &str = "crm_customers";

/// What services connect to.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    pub(super) customers: String,
    pub(super) redis: String,
}

/// PostgreSQL with its schemas and roles up to date.
pub(super) struct Database {
    /// `None` when it is somebody else's.
    pub(super) server: Option<Postgres>,
    pub(super) customers_url: String,
}

/// Starts or reaches PostgreSQL, and migrates.
pub(super) async fn open_database(places: &Places) -> Result<Database, Failure> {
    match std::env::var(DATABASE_URL) {
        Ok(owner_url) => {
            let password = customers_password(places)?;
            migrate(&owner_url, Some(&password)).await?;
            Ok(Database { server: None, customers_url: as_role(&owner_url, &password)? })
        }
        Err(_) => {
            let (home, log) = (places.root().join("postgres"), log_path(places, "postgres"));
            let server = blocking(move || Postgres::start(&home, PostgresSettings::durable().log(log))).await?;
            server.ensure_database(DATABASE).await.map_err(anyhow::Error::from)?;
            migrate(&server.url(DATABASE), None).await?;
            let customers_url = server.url_as(CUSTOMERS_ROLE, DATABASE);
            Ok(Database { server: Some(server), customers_url })
        }
    }
}

/// Starts Redis, or answers the URL of the one that the environment names.
pub(super) async fn open_redis(places: &Places) -> Result<(Option<Redis>, String), Failure> {
    if let Ok(url) = std::env::var(REDIS_URL) {
        return Ok((None, url));
    }
    let (home, log) = (places.root().join("redis"), log_path(places, "redis"));
    let server = blocking(move || Redis::start(&home, RedisSettings::default().log(log))).await?;
    let url = server.url();
    Ok((Some(server), url))
}

async fn migrate(owner_url: &str, password: Option<&str>) -> Result<(), Failure> {
    crm_customers::migrate(owner_url, password).await.context("cannot migrate the customers schema")?;
    Ok(())
}

/// The password that the service's role has in a database that is not ours: made once, kept beside the keys.
fn customers_password(places: &Places) -> Result<String, Failure> {
    keys::password(&places.root().join("keys/customers-password"))
}

/// The same server and database for the service's role.
fn as_role(owner_url: &str, password: &str) -> Result<String, Failure> {
    let (scheme, rest) = owner_url
        .split_once("://")
        .ok_or_else(|| Failure::Usage(format!("{DATABASE_URL} is not a URL like postgres://owner@host/database")))?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = &rest[authority.rfind('@').map_or(0, |at| at + 1)..];
    Ok(format!("{scheme}://{CUSTOMERS_ROLE}:{password}@{host}"))
}

fn log_path(places: &Places, name: &str) -> PathBuf {
    places.root().join("logs").join(format!("{name}.log"))
}

async fn blocking<T: Send + 'static>(
    start: impl FnOnce() -> Result<T, crm_sandbox::Error> + Send + 'static,
) -> Result<T, Failure> {
    let started = tokio::task::spawn_blocking(start).await.context("starting a server")?;
    started.map_err(|error| match error {
        crm_sandbox::Error::Missing { .. } => Failure::Missing(error.to_string()),
        other => Failure::Other(other.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_role_takes_the_owner_s_place_in_the_url() {
        let check = |owner: &str, expected: &str| assert_eq!(as_role(owner, "pw").unwrap(), expected);
        check(
            "postgres://owner:p%40ss@db:5432/crm?sslmode=require",
            "postgres://crm_customers:pw@db:5432/crm?sslmode=require",
        );
        check("postgres://db/crm", "postgres://crm_customers:pw@db/crm");
        check("postgres://o@localhost/crm?host=/tmp/a@b", "postgres://crm_customers:pw@localhost/crm?host=/tmp/a@b");
        assert!(as_role("nonsense", "pw").is_err());
    }
}
