//! What the planner chooses, for tests: a list that needs an index says so, and stays so.
//!
//! Look at plans as the service's role: row-level security keeps operators that are not leakproof out of index
//! conditions, and neither the owner nor a superuser would see that.

use std::fmt;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Execute, PgConnection, Postgres};

use crate::Error;
use crate::error::Diagnostic;

/// The plan of one statement.
#[derive(Debug, Clone)]
pub struct Plan {
    root: Value,
}

/// The plan that Postgres would run for the query, its bound values included. Nothing is run.
///
/// # Errors
/// The statement's.
pub async fn explain<'q>(connection: &mut PgConnection, query: impl Execute<'q, Postgres>) -> Result<Plan, Error> {
    explained(connection, "explain (format json)", query).await
}

/// As [`explain`], but the query is run, so that the plan has rows and buffers. Only for statements that change nothing.
///
/// # Errors
/// The statement's.
pub async fn explain_analyze<'q>(
    connection: &mut PgConnection,
    query: impl Execute<'q, Postgres>,
) -> Result<Plan, Error> {
    explained(connection, "explain (analyze, buffers, format json)", query).await
}

async fn explained<'q>(
    connection: &mut PgConnection,
    explain: &str,
    mut query: impl Execute<'q, Postgres>,
) -> Result<Plan, Error> {
    let arguments =
        query.take_arguments().map_err(|_| Error::Fault(Diagnostic::new("a bound value does not encode")))?;
    let text = format!("{explain} {}", query.sql().as_str());
    let query = sqlx::query_scalar_with(AssertSqlSafe(text), arguments.unwrap_or_default()).persistent(false);
    let mut answer: Value = query.fetch_one(connection).await?;
    Ok(Plan { root: answer[0]["Plan"].take() })
}

impl Plan {
    /// Names of the indexes that are used, in the order of the plan.
    pub fn indexes(&self) -> Vec<&str> {
        self.nodes().into_iter().filter_map(|node| node["Index Name"].as_str()).collect()
    }

    /// Kinds of node, such as `Index Scan`, in the order of the plan.
    pub fn kinds(&self) -> Vec<&str> {
        self.nodes().into_iter().filter_map(|node| node["Node Type"].as_str()).collect()
    }

    /// What each node has under this key, such as `Index Cond` or `Filter`.
    pub fn details(&self, key: &str) -> Vec<&str> {
        self.nodes().into_iter().filter_map(|node| node[key].as_str()).collect()
    }

    /// Rows that were answered; only after [`explain_analyze`].
    pub fn rows(&self) -> u64 {
        self.root["Actual Rows"].as_u64().unwrap_or_default()
    }

    /// Rows that were read from tables and indexes; only after [`explain_analyze`].
    pub fn rows_read(&self) -> u64 {
        let number = |node: &Value, key: &str| node[key].as_u64().unwrap_or_default();
        let read = |node: &Value| {
            let rows = number(node, "Actual Rows") + number(node, "Rows Removed by Filter");
            rows * number(node, "Actual Loops")
        };
        self.nodes().into_iter().filter(|node| node["Relation Name"].is_string()).map(read).sum()
    }

    /// Rows that were read and thrown away; only after [`explain_analyze`].
    pub fn rows_removed(&self) -> u64 {
        self.nodes().into_iter().filter_map(|node| node["Rows Removed by Filter"].as_u64()).sum()
    }

    /// Fails the test, showing the plan, unless it uses the index.
    ///
    /// # Panics
    /// If the index is not used.
    #[track_caller]
    pub fn assert_uses_index(&self, index: &str) -> &Self {
        assert!(self.indexes().contains(&index), "{index} is not used:\n{self}");
        self
    }

    /// Fails the test, showing the plan, if it reads a whole table.
    ///
    /// # Panics
    /// If there is a sequential scan.
    #[track_caller]
    pub fn assert_no_sequential_scan(&self) -> &Self {
        assert!(!self.kinds().contains(&"Seq Scan"), "a whole table is read:\n{self}");
        self
    }

    /// Fails the test, showing the plan, if rows are sorted instead of read in order.
    ///
    /// # Panics
    /// If there is a sort.
    #[track_caller]
    pub fn assert_no_sort(&self) -> &Self {
        assert!(!self.kinds().iter().any(|kind| kind.ends_with("Sort")), "rows are sorted:\n{self}");
        self
    }

    /// All nodes, each before its children.
    fn nodes(&self) -> Vec<&Value> {
        let mut open = vec![&self.root];
        let mut nodes = Vec::new();
        while let Some(node) = open.pop() {
            nodes.push(node);
            open.extend(node["Plans"].as_array().into_iter().flatten().rev());
        }
        nodes
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}", self.root)
    }
}
