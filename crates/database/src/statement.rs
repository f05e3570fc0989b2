//! One span, and one measurement, around one SQL statement.

use std::fmt::Display;
use std::future::Future;
use std::time::Instant;

use crm_telemetry::names::attribute;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Status, TraceContextExt};
use sqlx::postgres::PgQueryResult;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{Error, metrics};

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

/// Runs a statement inside its span, where the methods of [`TenantTransaction`](crate::TenantTransaction) do not fit.
///
/// `name` is the question it answers, such as `find_accounts`: the span's name and the label of its metrics, so a constant.
/// `sql` is the parameterised text; no bound value reaches the span.
///
/// # Errors
/// The statement's, classified; the span and the counters have it, too.
pub async fn traced<T: Rows, E: Into<Error>>(
    name: &'static str,
    sql: impl Display,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Error> {
    let running = Running::begin(name, &sql);
    let result = answer.instrument(running.span.clone()).await.map_err(Into::into);
    running.end(result.as_ref().map(Rows::rows));
    result
}

/// A statement that has begun. Dropped without an end, it counts as cancelled.
#[derive(Debug)]
pub(crate) struct Running {
    name: &'static str,
    pub(crate) span: Span,
    started: Instant,
    ended: bool,
}

impl Running {
    pub(crate) fn begin(name: &'static str, sql: &impl Display) -> Self {
        // No fields here: as fields, each value would be copied, whether or not the span is sampled.
        let span = tracing::info_span!(crm_telemetry::names::span::DB_STATEMENT, otel.kind = "client");
        let context = span.context();
        let otel = context.span();
        if otel.is_recording() {
            let text = sql.to_string();
            otel.update_name(name);
            otel.set_attributes([
                KeyValue::new(attribute::DB_SYSTEM_NAME, "postgresql"),
                KeyValue::new(attribute::DB_OPERATION_NAME, operation(&text)),
                KeyValue::new(attribute::DB_QUERY_SUMMARY, name),
                KeyValue::new(attribute::DB_QUERY_TEXT, text),
            ]);
        }
        Self { name, span, started: Instant::now(), ended: false }
    }

    pub(crate) fn end(mut self, result: Result<u64, &Error>) {
        self.ended = true;
        metrics::record_statement(self.name, self.started.elapsed());
        match result {
            Ok(rows) => self.set(attribute::DB_RESPONSE_RETURNED_ROWS, i64::try_from(rows).unwrap_or(i64::MAX)),
            Err(error) => self.fail(error.class()),
        }
    }

    fn set(&self, key: &'static str, value: impl Into<opentelemetry::Value>) {
        self.span.context().span().set_attribute(KeyValue::new(key, value));
    }

    /// The class alone: messages of the server may quote values.
    fn fail(&self, class: &str) {
        metrics::count_error(self.name, class);
        self.set(attribute::ERROR_TYPE, class.to_owned());
        self.span.context().span().set_status(Status::error(class.to_owned()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            metrics::record_statement(self.name, self.started.elapsed());
            self.fail("cancelled");
        }
    }
}

/// The first word of a statement, of those that there are.
fn operation(sql: &str) -> &'static str {
    const OPERATIONS: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "COPY", "MERGE"];
    let first = sql.split_whitespace().next().unwrap_or_default();
    OPERATIONS.into_iter().find(|operation| operation.eq_ignore_ascii_case(first)).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn operation_is_the_first_word_and_never_free_text() {
        let check = |sql, expected| assert_eq!(operation(sql), expected);
        check("select 1", "SELECT");
        check("\n  Insert into x", "INSERT");
        check("with y as (select 1) select 2", "WITH");
        check("'secret'", "OTHER");
        check("", "OTHER");
    }
}
