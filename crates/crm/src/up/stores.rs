//! PostgreSQL and Redis: private ones, or those that the environment names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use crm_resource::Service;
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings};
use url::Url;

use crate::failure::Failure;
use crate::keys;
use crate::migrate::migrate;
use crate::places::Places;
use crate::services;

/// An owner's URL: replaces the private PostgreSQL.
const DATABASE_URL: &str = "CRM_DATABASE_URL";
/// Replaces the private Redis.
const REDIS_URL: &str = "CRM_REDIS_URL";
/// The database in the private PostgreSQL.
const DATABASE: &str = "bellwether";

/// What services connect to.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    /// By service.
    pub(super) databases: BTreeMap<String, String>,
    pub(super) redis: String,
}

/// PostgreSQL with its schemas and roles up to date.
pub(super) struct Database {
    /// `None` when it is somebody else's.
    pub(super) server: Option<Postgres>,
    /// What each service connects with, by its name.
    pub(super) urls: BTreeMap<String, String>,
}

/// Starts or reaches PostgreSQL, and migrates.
pub(super) async fn open_database(places: &Places) -> Result<Database, Failure> {
    let mut urls = BTreeMap::new();
    match std::env::var(DATABASE_URL) {
        Ok(owner_url) => {
            for (service, store) in services::storages() {
                let password = password(places, service)?;
                migrate(service, &owner_url, Some(&password)).await?;
                urls.insert(service.name.to_owned(), as_role(&owner_url, store.role, &password)?);
            }
            Ok(Database { server: None, urls })
        }
        Err(_) => {
            let (home, log) = (places.root().join("postgres"), log_path(places, "postgres"));
            let server = blocking(move || Postgres::start(&home, PostgresSettings::durable().log(log))).await?;
            server.ensure_database(DATABASE).await.map_err(anyhow::Error::from)?;
            for (service, store) in services::storages() {
                migrate(service, &server.url(DATABASE), None).await?;
                urls.insert(service.name.to_owned(), server.url_as(store.role, DATABASE));
            }
            Ok(Database { server: Some(server), urls })
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

/// The password that a service's role has in a database that is not ours: made once, kept beside the keys.
fn password(places: &Places, service: &Service) -> Result<String, Failure> {
    keys::password(&places.root().join(format!("keys/{}-password", service.name)))
}

/// The same server and database for a service's role.
fn as_role(owner_url: &str, role: &str, password: &str) -> Result<String, Failure> {
    let usage = || Failure::Usage(format!("{DATABASE_URL} is not a URL like postgres://owner@host/database"));
    let mut url = Url::parse(owner_url).map_err(|_| usage())?;
    url.set_username(role).map_err(|()| usage())?;
    url.set_password(Some(password)).map_err(|()| usage())?;
    Ok(url.into())
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
        let check = |owner: &str, expected: &str| assert_eq!(as_role(owner, "crm_customers", "pw").unwrap(), expected);
        check(
            "postgres://owner:p%40ss@db:5432/crm?sslmode=require",
            "postgres://crm_customers:pw@db:5432/crm?sslmode=require",
        );
        check("postgres://db/crm", "postgres://crm_customers:pw@db/crm");
        check("postgres://o@localhost/crm?host=/tmp/a@b", "postgres://crm_customers:pw@localhost/crm?host=/tmp/a@b");
        assert!(as_role("nonsense", "crm_customers", "pw").is_err());
    }
}
