//! What can go wrong between a service and its database, sorted by what the caller can do about it.

use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind};

/// Reasons this crate gives, for `google.rpc.ErrorInfo`, and when each is given.
pub const REASONS: &[(&str, &str)] = &[
    ("DATABASE_UNAVAILABLE", "the database cannot be reached, or has no free connection; try again"),
    ("DATABASE_TIMEOUT", "the deadline passed before the database had answered"),
    ("TRANSACTION_CONFLICT", "two transactions changed the same rows at once; try again"),
    ("DATABASE_FAULT", "the database refused a statement; this is a defect"),
    ("REQUEST_ID_REUSED", "the request id was used before, with another request"),
    ("PAGE_SIZE_INVALID", "the page size is negative"),
    ("PAGE_TOKEN_INVALID", "the page token is damaged, or was given for another list, filter or order"),
    ("FILTER_INVALID", "the filter is not a comparison, or several joined by AND, over the fields of the list"),
    ("ORDER_BY_INVALID", "the order names no field, or one that the list cannot be ordered by"),
];

/// A failed use of the database. Displays and logs without any value of any row.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached, ended the connection, or is starting or stopping. Worth a retry.
    #[error("database not reachable ({0})")]
    Unavailable(Fault),
    /// No connection came free in time. Worth a retry elsewhere.
    #[error("no database connection came free in time")]
    Exhausted,
    /// The caller's deadline, or the limit for one statement, has passed.
    #[error("deadline passed in the database")]
    DeadlineExceeded,
    /// Serialization failure or deadlock: the same transaction may succeed when it is run again.
    #[error("transaction conflicts with another ({0})")]
    Conflict(Fault),
    /// A named constraint refused the change.
    #[error("constraint {} violated", .0.name)]
    Constraint(Constraint),
    /// The statement is wrong, or the role may not run it: a defect of the service.
    #[error("database fault ({0})")]
    Fault(Fault),
    /// The settings cannot be used.
    #[error("database settings: {0}")]
    Settings(String),
}

/// A violated constraint, by the name that the migration gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Such as `accounts_domain_key`; empty where Postgres names none (not-null).
    pub name: String,
    /// Table, without its schema.
    pub table: String,
    /// Kind of constraint.
    pub kind: ConstraintKind,
}

/// Kinds of constraint that Postgres reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Unique or exclusion.
    Unique,
    /// Foreign key.
    ForeignKey,
    /// Check.
    Check,
    /// Not null.
    NotNull,
}

/// Why a statement or a connection failed, without a value of any row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// SQLSTATE, where the server gave one.
    pub sqlstate: Option<String>,
    /// Short description; the server's own words only where they cannot quote data.
    pub summary: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlstate {
            Some(state) => write!(formatter, "{state}: {}", self.summary),
            None => formatter.write_str(&self.summary),
        }
    }
}

impl Fault {
    pub(crate) fn new(summary: impl Into<String>) -> Self {
        Self { sqlstate: None, summary: summary.into() }
    }
}

impl Error {
    /// The reason from [`REASONS`]. Services translate [`Error::Constraint`] by its name before they ask.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) | Self::Exhausted => "DATABASE_UNAVAILABLE",
            Self::DeadlineExceeded => "DATABASE_TIMEOUT",
            Self::Conflict(_) => "TRANSACTION_CONFLICT",
            Self::Constraint(_) | Self::Fault(_) | Self::Settings(_) => "DATABASE_FAULT",
        }
    }

    /// True where the same call may succeed a moment later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Exhausted | Self::Conflict(_))
    }

    /// Name of the violated constraint, if one was.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint(constraint) => Some(&constraint.name),
            _ => None,
        }
    }

    /// Short class for the `error.type` attribute of a span: a SQLSTATE or a word, never a value.
    pub fn class(&self) -> &str {
        match self {
            Self::Unavailable(fault) | Self::Conflict(fault) | Self::Fault(fault) => {
                fault.sqlstate.as_deref().unwrap_or("connection")
            }
            Self::Exhausted => "pool_exhausted",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Constraint(constraint) => &constraint.name,
            Self::Settings(_) => "settings",
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_server(error.as_ref()),
            sqlx::Error::Io(error) => Self::Unavailable(Fault::new(error.kind().to_string())),
            sqlx::Error::Tls(_) => Self::Unavailable(Fault::new("TLS failed")),
            sqlx::Error::PoolTimedOut => Self::Exhausted,
            sqlx::Error::PoolClosed => Self::Unavailable(Fault::new("the pool is closed")),
            sqlx::Error::Configuration(_) => Self::Settings("the database URL cannot be understood".to_owned()),
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Fault(Fault::new(format!("column {index} does not decode")))
            }
            sqlx::Error::ColumnNotFound(column) => Self::Fault(Fault::new(format!("no column {column} in the answer"))),
            other => Self::Fault(Fault::new(variant(&other))),
        }
    }
}

/// The words of variants whose own text might quote data.
fn variant(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::RowNotFound => "no row in the answer",
        sqlx::Error::Encode(_) => "a bound value does not encode",
        sqlx::Error::Decode(_) => "a value does not decode",
        sqlx::Error::Protocol(_) => "the protocol was violated",
        sqlx::Error::BeginFailed => "the transaction did not begin",
        _ => "the driver failed",
    }
}

fn of_server(error: &dyn DatabaseError) -> Error {
    let sqlstate = error.code().unwrap_or_default().into_owned();
    if let Some(kind) = constraint_kind(error) {
        return Error::Constraint(Constraint {
            name: error.constraint().unwrap_or_default().to_owned(),
            table: error.table().unwrap_or_default().to_owned(),
            kind,
        });
    }
    let fault = Fault { summary: summary(&sqlstate, error), sqlstate: Some(sqlstate.clone()) };
    match sqlstate.as_str() {
        // Cancelled by statement_timeout; lock_timeout; idle_in_transaction_session_timeout.
        "57014" | "55P03" | "25P03" => Error::DeadlineExceeded,
        "40001" | "40P01" => Error::Conflict(fault),
        state if is_unavailable(state) => Error::Unavailable(fault),
        _ => Error::Fault(fault),
    }
}

/// Connection exceptions, lacking resources, and a server that is starting, stopping or recovering (appendix A of the manual).
pub(crate) fn is_unavailable(sqlstate: &str) -> bool {
    sqlstate.starts_with("08") || sqlstate.starts_with("53") || sqlstate.starts_with("57P")
}

fn constraint_kind(error: &dyn DatabaseError) -> Option<ConstraintKind> {
    match error.kind() {
        ErrorKind::UniqueViolation | ErrorKind::ExclusionViolation => Some(ConstraintKind::Unique),
        ErrorKind::ForeignKeyViolation => Some(ConstraintKind::ForeignKey),
        ErrorKind::CheckViolation => Some(ConstraintKind::Check),
        ErrorKind::NotNullViolation => Some(ConstraintKind::NotNull),
        _ => None,
    }
}

/// Classes 28, 3D, 42 and 57P quote identifiers at most; other messages may quote the values of a row.
fn summary(sqlstate: &str, error: &dyn DatabaseError) -> String {
    let quotes_no_data = ["28", "3D", "42", "57P"].iter().any(|class| sqlstate.starts_with(class));
    match quotes_no_data {
        true => error.message().to_owned(),
        false => "refused by the server".to_owned(),
    }
}
