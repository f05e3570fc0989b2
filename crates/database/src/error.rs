//! What can go wrong between a service and its database, sorted by what the caller can do about it.

use std::fmt;

use crm_shares::TENANT_SHARE_TAKEN;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::sqlstate::{self, Class, Fate};

/// Reasons this crate gives, for `google.rpc.ErrorInfo`, and when each is given.
pub const REASONS: &[(&str, &str)] = &[
    (
        "DATABASE_UNAVAILABLE",
        "the database cannot be reached, only reads, refuses the service, or has no free connection; try again",
    ),
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
    Unavailable(Diagnostic),
    /// The server will not have this service: wrong password, no such database, an option that it does not take. It
    /// lasts until somebody changes something, so a process that is starting ends with it.
    #[error("refused by the database ({0})")]
    Refused(Diagnostic),
    /// The connection was older than a change of the server. Nothing has happened: the whole transaction should be run
    /// once more, and gets a younger connection.
    #[error("database connection is out of date ({0})")]
    Outdated(Diagnostic),
    /// No connection came free in time: others have them all, or the server takes its time. Worth a retry later.
    #[error("no database connection came free in time")]
    Exhausted,
    /// None of the tenant's own connections came free in time; other tenants find one. Worth a retry later.
    #[error("too many database connections for one tenant; others find one")]
    ShareTaken,
    /// The caller's deadline, or the limit for one statement, has passed.
    #[error("deadline passed in the database")]
    DeadlineExceeded,
    /// Serialization failure or deadlock: the same transaction may succeed when it is run again.
    #[error("transaction conflicts with another ({0})")]
    Conflict(Diagnostic),
    /// A named constraint refused the change.
    #[error("constraint {} violated", .0.name)]
    Constraint(Constraint),
    /// The statement is wrong, or the role may not run it: a defect of the service.
    #[error("database fault ({0})")]
    Fault(Diagnostic),
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
pub struct Diagnostic {
    /// SQLSTATE, where the server gave one.
    pub sqlstate: Option<String>,
    /// Short description; the server's own words only where they cannot quote data.
    pub summary: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlstate {
            Some(state) => write!(formatter, "{state}: {}", self.summary),
            None => formatter.write_str(&self.summary),
        }
    }
}

impl Diagnostic {
    pub(crate) fn new(summary: impl Into<String>) -> Self {
        Self { sqlstate: None, summary: summary.into() }
    }
}

impl Error {
    /// The reason from [`REASONS`], or [`TENANT_SHARE_TAKEN`]. Services translate [`Error::Constraint`] by its name before they ask.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) | Self::Refused(_) | Self::Outdated(_) | Self::Exhausted => "DATABASE_UNAVAILABLE",
            Self::ShareTaken => TENANT_SHARE_TAKEN,
            Self::DeadlineExceeded => "DATABASE_TIMEOUT",
            Self::Conflict(_) => "TRANSACTION_CONFLICT",
            Self::Constraint(_) | Self::Fault(_) | Self::Settings(_) => "DATABASE_FAULT",
        }
    }

    /// True where the same call may succeed a moment later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Outdated(_) | Self::Exhausted | Self::ShareTaken | Self::Conflict(_)
        )
    }

    /// True where nothing passes by itself: a process that meets it while it starts should say so and end.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Fault(_) | Self::Settings(_))
    }

    /// Whether a table is missing: the schema is still to be made, or brought up to date.
    pub fn is_missing_table(&self) -> bool {
        matches!(self, Self::Fault(Diagnostic { sqlstate: Some(sqlstate), .. }) if sqlstate == "42P01")
    }

    /// What the failure makes of the connection.
    pub(crate) fn fate(&self) -> Fate {
        match self {
            Self::Outdated(_) => Fate::ClosedWithItsElders,
            Self::Unavailable(Diagnostic { sqlstate: Some(sqlstate), .. }) => sqlstate::row(sqlstate).1,
            // The connection itself failed.
            Self::Unavailable(_) => Fate::Closed,
            // Where the server has ended the session as well, that is found when the connection is given back.
            _ => Fate::Kept,
        }
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
            Self::Unavailable(fault)
            | Self::Refused(fault)
            | Self::Outdated(fault)
            | Self::Conflict(fault)
            | Self::Fault(fault) => fault.sqlstate.as_deref().unwrap_or("connection"),
            Self::Exhausted => "pool_exhausted",
            Self::ShareTaken => "share_taken",
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
            sqlx::Error::Io(error) => Self::Unavailable(Diagnostic::new(error.kind().to_string())),
            sqlx::Error::Tls(_) => Self::Unavailable(Diagnostic::new("TLS failed")),
            // Question and answer have lost each other: nothing that comes on this connection can be trusted.
            sqlx::Error::Protocol(_) => Self::Unavailable(Diagnostic::new("the protocol was violated")),
            sqlx::Error::PoolTimedOut => Self::Exhausted,
            sqlx::Error::PoolClosed => Self::Unavailable(Diagnostic::new("the pool is closed")),
            sqlx::Error::Configuration(_) => Self::Settings("the database URL cannot be understood".to_owned()),
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Fault(Diagnostic::new(format!("column {index} does not decode")))
            }
            sqlx::Error::ColumnNotFound(column) => {
                Self::Fault(Diagnostic::new(format!("no column {column} in the answer")))
            }
            other => Self::Fault(Diagnostic::new(variant(&other))),
        }
    }
}

/// The words of variants whose own text might quote data.
fn variant(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::RowNotFound => "no row in the answer",
        sqlx::Error::Encode(_) => "a bound value does not encode",
        sqlx::Error::Decode(_) => "a value does not decode",
        sqlx::Error::BeginFailed => "the transaction did not begin",
        _ => "the driver failed",
    }
}

/// The same where a connection was being opened. No statement of ours was there to be at fault, so whatever is not sure
/// to pass will last.
pub(crate) fn when_connecting(error: sqlx::Error) -> Error {
    let says_so = matches!(&error, sqlx::Error::Database(error) if is_refusal_of_a_pooler(error.as_ref()));
    match Error::from(error) {
        Error::Unavailable(fault) if says_so => Error::Refused(fault),
        Error::Fault(fault) => Error::Refused(fault),
        other => other,
    }
}

/// PgBouncer has one SQLSTATE, 08P01, for all it has to say, and says it in English: what passes and what does not.
fn is_refusal_of_a_pooler(error: &dyn DatabaseError) -> bool {
    const WORDS: [&str; 5] =
        [UNSUPPORTED_PARAMETER, "no such ", "does not exist", "authentication failed", "login failed"];
    error.code().as_deref() == Some("08P01") && WORDS.iter().any(|words| error.message().contains(words))
}

const UNSUPPORTED_PARAMETER: &str = "unsupported startup parameter";

/// Whether a pooler will not have the settings that a session is opened with.
pub(crate) fn refuses_our_options(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error)
        if error.code().as_deref() == Some("08P01") && error.message().contains(UNSUPPORTED_PARAMETER))
}

fn of_server(error: &dyn DatabaseError) -> Error {
    let sqlstate = error.code().unwrap_or_default().into_owned();
    let fault = Diagnostic { summary: summary(&sqlstate, error), sqlstate: Some(sqlstate) };
    match (sqlstate::class(error), constraint_kind(error)) {
        (Class::Constraint, Some(kind)) => Error::Constraint(Constraint {
            name: error.constraint().unwrap_or_default().to_owned(),
            table: error.table().unwrap_or_default().to_owned(),
            kind,
        }),
        (Class::Conflict, _) => Error::Conflict(fault),
        (Class::Late, _) => Error::DeadlineExceeded,
        (Class::Outdated | Class::ReadOnly, _) => Error::Outdated(fault),
        (Class::Away, _) => Error::Unavailable(fault),
        (Class::Refused, _) => Error::Refused(fault),
        (Class::Constraint | Class::Defect, _) => Error::Fault(fault),
    }
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

/// These classes quote identifiers at most; other messages may quote the values of a row.
fn summary(sqlstate: &str, error: &dyn DatabaseError) -> String {
    const QUOTE_NO_DATA: [&str; 10] = ["08", "0A", "25", "26", "28", "3D", "42", "53", "55", "57P"];
    match QUOTE_NO_DATA.iter().any(|class| sqlstate.starts_with(class)) {
        true => error.message().to_owned(),
        false => "refused by the server".to_owned(),
    }
}
