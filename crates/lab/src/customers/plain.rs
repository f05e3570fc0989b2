//! Plain `copy` of rows that are there into tables with the same indexes and nothing else: what any loading is compared with.

use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::Instant;

use crate::scratch::{LabError, Servers};

/// How long it takes to copy the rows of these tables that meet their conditions, in seconds: table after table, each in so
/// many parts at a time.
pub(super) async fn copy(servers: &Servers, tables: &[(&str, String)], parts: usize) -> Result<f64, LabError> {
    let mut sessions = Vec::new();
    for _ in 0..parts {
        sessions.push(PgConnection::connect(&servers.owner_url).await?);
    }
    let mut owner = PgConnection::connect(&servers.owner_url).await?;
    let folder: String = sqlx::query_scalar("select current_setting('data_directory')").fetch_one(&mut owner).await?;
    owner.execute("create schema plain").await?;
    let mut seconds = 0.0;
    for (table, condition) in tables {
        let columns = "select string_agg(quote_ident(column_name), ', ') from information_schema.columns \
                       where table_schema = 'customers' and table_name = $1 and is_generated = 'NEVER'";
        let columns: String = sqlx::query_scalar(columns).bind(table).fetch_one(&mut owner).await?;
        let files: Vec<String> = (0..parts).map(|part| format!("{folder}/lab-{table}-{part}.copy")).collect();
        let like = format!("create table plain.{table} (like customers.{table} including all)");
        owner.execute(AssertSqlSafe(like)).await?;
        for (part, file) in files.iter().enumerate() {
            // By pages, so that each part is in the order in which it came.
            let rows =
                format!("customers.{table} where (ctid::text::point)[0]::bigint % {parts} = {part} and {condition}");
            owner.execute(AssertSqlSafe(format!("copy (select {columns} from {rows}) to '{file}'"))).await?;
        }
        let began = Instant::now();
        try_join_all(sessions.iter_mut().zip(&files).map(|(session, file)| {
            session.execute(AssertSqlSafe(format!("copy plain.{table} ({columns}) from '{file}'")))
        }))
        .await?;
        seconds += began.elapsed().as_secs_f64();
        for file in &files {
            let _ = std::fs::remove_file(file);
        }
    }
    owner.execute("drop schema plain cascade").await?;
    Ok(seconds)
}
