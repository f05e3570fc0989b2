//! Plain `copy` of rows that are there: what any loading is compared with.

use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::Instant;

use crate::scratch::{LabError, Servers};

/// Tables, and which of their rows.
type Rows<'a> = [(&'a str, String)];

/// How long it takes to copy rows into empty tables with the same indexes and nothing else, in seconds: table after table, each in
/// so many parts at a time.
pub(super) async fn copy(servers: &Servers, tables: &Rows<'_>, parts: usize) -> Result<f64, LabError> {
    let mut sessions = Vec::new();
    for _ in 0..parts {
        sessions.push(PgConnection::connect(&servers.owner_url).await?);
    }
    let mut owner = Owner::of(servers).await?;
    owner.session.execute("create schema plain").await?;
    let mut seconds = 0.0;
    for (table, condition) in tables {
        let columns = owner.columns(table).await?;
        let like = format!("create table plain.{table} (like customers.{table} including all)");
        owner.session.execute(AssertSqlSafe(like)).await?;
        let mut files = Vec::new();
        for part in 0..parts {
            // By pages, so that each part is in the order in which it came.
            let rows = format!("(ctid::text::point)[0]::bigint % {parts} = {part} and {condition}");
            files.push(owner.write(table, &columns, &rows, part).await?);
        }
        let began = Instant::now();
        try_join_all(sessions.iter_mut().zip(&files).map(|(session, file)| {
            session.execute(AssertSqlSafe(format!("copy plain.{table} ({columns}) from '{file}'")))
        }))
        .await?;
        seconds += began.elapsed().as_secs_f64();
        remove(&files);
    }
    owner.session.execute("drop schema plain cascade").await?;
    Ok(seconds)
}

/// How long it takes to copy rows into the tables in which they stand, among all the others, in seconds. They are taken out first,
/// and all is as before in the end. Tables that others refer to come first.
pub(super) async fn copy_again(servers: &Servers, tables: &Rows<'_>) -> Result<f64, LabError> {
    let mut owner = Owner::of(servers).await?;
    let mut files = Vec::new();
    for (table, condition) in tables {
        let columns = owner.columns(table).await?;
        let file = owner.write(table, &columns, condition, 0).await?;
        files.push((format!("copy customers.{table} ({columns}) from '{file}'"), file));
    }
    let mut transaction = owner.session.begin().await?;
    for (table, condition) in tables.iter().rev() {
        transaction.execute(AssertSqlSafe(format!("delete from customers.{table} where {condition}"))).await?;
    }
    let began = Instant::now();
    for (copy, _) in &files {
        transaction.execute(AssertSqlSafe(copy.clone())).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    transaction.rollback().await?;
    remove(&files.into_iter().map(|(_, file)| file).collect::<Vec<_>>());
    Ok(seconds)
}

/// Who may read and write files of the server.
struct Owner {
    session: PgConnection,
    folder: String,
}

impl Owner {
    async fn of(servers: &Servers) -> Result<Self, LabError> {
        let mut session = PgConnection::connect(&servers.owner_url).await?;
        // Nobody has counted yet what has just come: planned for a row, ten thousand are looked for one by one.
        session.execute("set enable_nestloop = off").await?;
        let folder = sqlx::query_scalar("select current_setting('data_directory')").fetch_one(&mut session).await?;
        Ok(Self { session, folder })
    }

    async fn columns(&mut self, table: &str) -> Result<String, LabError> {
        let columns = "select string_agg(quote_ident(column_name), ', ') from information_schema.columns \
                       where table_schema = 'customers' and table_name = $1 and is_generated = 'NEVER'";
        Ok(sqlx::query_scalar(columns).bind(table).fetch_one(&mut self.session).await?)
    }

    /// Writes rows into a file.
    async fn write(&mut self, table: &str, columns: &str, rows: &str, part: usize) -> Result<String, LabError> {
        let file = format!("{}/lab-{table}-{part}.copy", self.folder);
        let copy = format!("copy (select {columns} from customers.{table} where {rows}) to '{file}'");
        self.session.execute(AssertSqlSafe(copy)).await?;
        Ok(file)
    }
}

fn remove(files: &[String]) {
    for file in files {
        let _ = std::fs::remove_file(file);
    }
}
