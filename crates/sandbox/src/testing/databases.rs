//! Template databases, filled once a run, and their copies, one a test.

use sqlx::{Connection, PgConnection};
use std::{fmt::Display, thread};
use url::Url;

use super::servers::{TestPostgres, postgres};
use crate::{
    Error,
    postgres::database::{connect, execute, quote, run},
};

/// Held while a template is filled. One for all templates: migrations create roles, which all databases share.
const FILL_LOCK: i64 = 0x6265_6c6c_7765;

/// A filled template database, from which each test gets a copy.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
}

impl Template {
    /// A copy for one test.
    ///
    /// # Errors
    /// The server's.
    pub async fn database(&self) -> Result<TestDatabase, Error> {
        create_database(postgres().await?, &self.name).await
    }
}

/// A database of its own; dropped, together with whoever is still connected, when the value is.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: Url,
    admin_url: String,
}

impl TestDatabase {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The superuser's URL. A superuser passes by row-level security: see [`TestDatabase::url_as`].
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The URL of another role, whose password does not matter to the private server.
    #[must_use]
    pub fn url_as(&self, role: &str, password: &str) -> String {
        let mut url = self.url.clone();
        // Fails only for a URL without a host.
        let _ = url.set_username(role).and_then(|()| url.set_password(Some(password)));
        url.into()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        let admin_url = self.admin_url.clone();
        // A runtime of its own on a thread of its own: a drop happens inside of runtimes, outside, and while they end.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(run(&admin_url, statement, "dropping a test database")))
        });
        let _ = dropping.join();
    }
}

/// An empty database.
///
/// # Errors
/// The server's, or what is missing to start one.
pub async fn database() -> Result<TestDatabase, Error> {
    create_database(postgres().await?, "template1").await
}

/// The template called `name`, filled by `setup(superuser's URL)` by whoever asks first in this run. `setup` must
/// have closed its connections when it returns.
///
/// # Errors
/// The server's, or what `setup` answered.
pub async fn template_database<F, E>(name: &str, setup: impl FnOnce(String) -> F) -> Result<Template, Error>
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let server = postgres().await?;
    let template = Template { name: format!("template_{name}") };
    let mut admin = connect(server.admin_url()).await?;
    execute(&mut admin, format!("select pg_advisory_lock({FILL_LOCK})"), "locking the templates").await?;
    if !is_filled(&mut admin, &template.name).await? {
        let quoted = quote(&template.name);
        execute(&mut admin, format!("drop database if exists {quoted} with (force)"), "removing half a template")
            .await?;
        execute(&mut admin, format!("create database {quoted}"), "creating a template").await?;
        let result = setup(server.url(&template.name)).await;
        result.map_err(|error| Error::Template { template: name.to_owned(), reason: format!("{error:#}") })?;
        let finish = format!("alter database {quoted} with is_template true allow_connections false");
        execute(&mut admin, finish, "finishing a template").await?;
    }
    // The lock goes with the connection, here as well as on every error above.
    admin.close().await.map_err(Error::sql("closing a connection"))?;
    Ok(template)
}

async fn create_database(server: &TestPostgres, template: &str) -> Result<TestDatabase, Error> {
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let statement = format!("create database {name} template {}", quote(template));
    run(server.admin_url(), statement, "creating a test database").await?;
    Ok(TestDatabase { url: server.database(&name), admin_url: server.admin_url().to_owned(), name })
}

/// A template that nobody finished has not been marked as one.
async fn is_filled(admin: &mut PgConnection, name: &str) -> Result<bool, Error> {
    let query = "select coalesce((select datistemplate from pg_database where datname = $1), false)";
    let row = sqlx::query_scalar(query).bind(name).fetch_one(admin).await;
    row.map_err(Error::sql("looking for a template"))
}
