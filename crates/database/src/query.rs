//! Statements of a transaction: each in a span of its own, its failure remembered.

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow};
use sqlx::query::Query;
use sqlx::{Execute, Executor, FromRow, Postgres, SqlStr};

use crate::error::Diagnostic;
use crate::statement::{Running, traced};
use crate::{Error, TenantTransaction};

/// `name` is the question that the statement answers, such as `find_accounts`: the span's name and a metric's label.
/// Queries come from `sqlx::query(SQL).bind(…)`; the type of a row is the caller's to name, `(i64,)` for a single column.
impl TenantTransaction {
    /// All rows.
    ///
    /// # Errors
    /// The statement's, classified. The transaction can then only be rolled back.
    pub async fn fetch_all<'q, T>(
        &mut self,
        name: &'static str,
        query: impl Execute<'q, Postgres>,
    ) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let (sql, query) = self.take_apart(query)?;
        self.rows(name, sql, query).await?.iter().map(|row| Ok(T::from_row(row)?)).collect()
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`fetch_all`](Self::fetch_all).
    pub async fn fetch_optional<'q, T>(
        &mut self,
        name: &'static str,
        query: impl Execute<'q, Postgres>,
    ) -> Result<Option<T>, Error>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let (sql, query) = self.take_apart(query)?;
        self.row(name, sql, query).await?.map(|row| Ok(T::from_row(&row)?)).transpose()
    }

    /// The row of a statement that always has one, such as a count or an `insert … returning`.
    ///
    /// # Errors
    /// As [`fetch_all`](Self::fetch_all); [`Error::Fault`] without a row.
    pub async fn fetch_one<'q, T>(&mut self, name: &'static str, query: impl Execute<'q, Postgres>) -> Result<T, Error>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let row = self.fetch_optional(name, query).await?;
        row.ok_or_else(|| Error::Fault(Diagnostic::new("no row in the answer")))
    }

    /// Rows changed.
    ///
    /// # Errors
    /// As [`fetch_all`](Self::fetch_all).
    pub async fn execute<'q>(&mut self, name: &'static str, query: impl Execute<'q, Postgres>) -> Result<u64, Error> {
        let (sql, query) = self.take_apart(query)?;
        let done = traced(name, sql.as_str(), self.watched().execute(query)).await;
        self.noted(done).map(|done: PgQueryResult| done.rows_affected())
    }

    /// Rows as they arrive, none kept; the span ends with the stream. Dropped early, the transaction can still be rolled back.
    ///
    /// # Errors
    /// As [`fetch_all`](Self::fetch_all), as the last item.
    pub fn stream<'t, T>(
        &'t mut self,
        name: &'static str,
        query: impl Execute<'t, Postgres>,
    ) -> Result<BoxStream<'t, Result<T, Error>>, Error>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + 't,
    {
        let (sql, query) = self.take_apart(query)?;
        let mut running = Some((Running::begin(name, &sql.as_str()), 0));
        // It may end in an error, or be dropped, when nothing of ours looks on.
        let rows = self.streamed().fetch(query).map(Some).chain(futures_util::stream::iter([None]));
        let counted = rows.filter_map(move |item| {
            let item = item.map(|row| row.and_then(|row| T::from_row(&row)).map_err(Error::from));
            count(&mut running, item.as_ref());
            std::future::ready(item)
        });
        Ok(counted.boxed())
    }

    /// What [`fetch_all`](Self::fetch_all) does whatever its rows are: compiled once, and not for each kind of row.
    async fn rows(
        &mut self,
        name: &'static str,
        sql: SqlStr,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        let rows = traced(name, sql.as_str(), self.watched().fetch_all(query)).await;
        self.noted(rows)
    }

    /// The same of [`fetch_optional`](Self::fetch_optional).
    async fn row(
        &mut self,
        name: &'static str,
        sql: SqlStr,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Option<PgRow>, Error> {
        let row = traced(name, sql.as_str(), self.watched().fetch_optional(query)).await;
        self.noted(row)
    }

    /// The text of a query, for its span, and the query again. The text is asked for last, because asking consumes the
    /// query.
    fn take_apart<'q>(
        &self,
        mut query: impl Execute<'q, Postgres>,
    ) -> Result<(SqlStr, Query<'static, Postgres, PgArguments>), Error> {
        let arguments =
            query.take_arguments().map_err(|_| Error::Fault(Diagnostic::new("a bound value does not encode")))?;
        let persistent = query.persistent() && self.keeps_statements();
        let sql = query.sql();
        Ok((sql.clone(), sqlx::query_with(sql, arguments.unwrap_or_default()).persistent(persistent)))
    }
}

/// Counts a row; at the end, or at an error, ends the span.
fn count<T>(running: &mut Option<(Running, u64)>, item: Option<&Result<T, Error>>) {
    match item {
        Some(Ok(_)) => {
            if let Some((_, rows)) = running {
                *rows += 1;
            }
        }
        Some(Err(error)) => {
            if let Some((running, _)) = running.take() {
                running.end(Err(error));
            }
        }
        None => {
            if let Some((running, rows)) = running.take() {
                running.end(Ok(rows));
            }
        }
    }
}
