//! Statements that a superuser runs beside any migration: databases come and go outside of transactions.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Error;

/// Creates the database unless there is one of this name.
pub(super) async fn ensure(admin_url: &str, name: &str) -> Result<(), Error> {
    let mut admin = connect(admin_url).await?;
    let query = "select exists (select from pg_database where datname = $1)";
    let exists: Result<bool, _> = sqlx::query_scalar(query).bind(name).fetch_one(&mut admin).await;
    if !exists.map_err(Error::sql("looking for a database"))? {
        execute(&mut admin, format!("create database {}", quote(name)), "creating a database").await?;
    }
    admin.close().await.map_err(Error::sql("closing a connection"))
}

/// One statement over a connection of its own.
pub(crate) async fn run(admin_url: &str, statement: String, doing: &str) -> Result<(), Error> {
    let mut admin = connect(admin_url).await?;
    execute(&mut admin, statement, doing).await?;
    admin.close().await.map_err(Error::sql("closing a connection"))
}

pub(crate) async fn connect(url: &str) -> Result<PgConnection, Error> {
    PgConnection::connect(url).await.map_err(Error::sql("connecting to the private PostgreSQL"))
}

/// Names cannot be bound as parameters: callers use those of their own making, or [`quote`] them.
pub(crate) async fn execute(connection: &mut PgConnection, statement: String, doing: &str) -> Result<(), Error> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await;
    done.map(drop).map_err(Error::sql(doing))
}

pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
