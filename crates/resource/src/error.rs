//! Everything that can go wrong, and the status that a caller gets for it.

use std::time::Duration;

use crm_database::Error as DatabaseError;
use crm_server::problem::{Problem, Violation};
use crm_server::stack::Repeat;
use prost_types::Any;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::merge::MERGED_INTO;
use crate::refusal::{DATA_INCONSISTENT, FIELDS_INVALID, Refusal};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request break their rules.
    #[error("{} fields are invalid", .0.len())]
    Invalid(Vec<Violation>),
    /// A rule says no.
    #[error("{}", .0.text)]
    Refused(&'static Refusal),
    /// A rule says no to one of several records.
    #[error("{}", .0.text)]
    RefusedFor(&'static Refusal, Uuid),
    /// A rule says no, and this is what it is about.
    #[error("{}", .0.text)]
    RefusedWith(&'static Refusal, Any),
    /// A record was merged into another, which stands for it.
    #[error("{}", MERGED_INTO.text)]
    Merged {
        /// The record that is none any more.
        id: Uuid,
        /// The one that stands for it.
        winner: Uuid,
    },
    /// The database's.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Stored data, or this process, break a rule of this release.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// An answer that is none of this crate's to give, such as that nobody knows who calls.
    #[error("{}", .0.message())]
    Other(#[from] Status),
}

impl From<&'static Refusal> for Error {
    fn from(refusal: &'static Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// When a database that is away, or an export's place, is worth another try.
const RETRY_DELAY: Duration = Duration::from_millis(250);

impl Error {
    /// Why, for programs; nothing where it is somebody else's.
    pub(crate) fn reason(&self) -> &'static str {
        self.code_and_reason().1
    }

    fn code_and_reason(&self) -> (Code, &'static str) {
        match self {
            Self::Invalid(violations) => (Code::InvalidArgument, reason_of(violations)),
            Self::Refused(refusal) | Self::RefusedFor(refusal, _) | Self::RefusedWith(refusal, _) => {
                (refusal.code, refusal.reason)
            }
            Self::Merged { .. } => (MERGED_INTO.code, MERGED_INTO.reason),
            Self::Database(error) => (database_code(error), error.reason()),
            Self::Inconsistent(_) => (Code::Internal, DATA_INCONSISTENT.reason),
            Self::Other(status) => (status.code(), ""),
        }
    }
}

/// Of a list's page, filter or order that is refused alone, its own reason: programs look there first.
fn reason_of(violations: &[Violation]) -> &'static str {
    let is_listed = |reason| crm_database::REASONS.iter().any(|(listed, _)| *listed == reason);
    match violations {
        [first, rest @ ..] if is_listed(first.reason) && rest.iter().all(|other| other.reason == first.reason) => {
            first.reason
        }
        _ => FIELDS_INVALID.reason,
    }
}

fn database_code(error: &DatabaseError) -> Code {
    match error {
        DatabaseError::Unavailable(_)
        | DatabaseError::Refused(_)
        | DatabaseError::Outdated(_)
        | DatabaseError::Exhausted => Code::Unavailable,
        DatabaseError::ShareTaken => Code::ResourceExhausted,
        DatabaseError::DeadlineExceeded => Code::DeadlineExceeded,
        DatabaseError::Conflict(_) => Code::Aborted,
        DatabaseError::Constraint(_) | DatabaseError::Fault(_) | DatabaseError::Settings(_) => Code::Internal,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let error = match error {
            Error::Other(status) => return status,
            error => error,
        };
        let (code, reason) = error.code_and_reason();
        log(code, reason, &error);
        // What is wrong inside is for the log alone.
        let message = if code == Code::Internal { "internal error".to_owned() } else { error.to_string() };
        let problem = Problem::new(code, reason, message);
        let outdated = matches!(error, Error::Database(DatabaseError::Outdated(_)));
        let mut status: Self = match error {
            Error::Invalid(violations) => Problem::invalid(reason, violations),
            Error::RefusedFor(_, id) => problem.with_metadata("id", id.to_string()),
            Error::Merged { id, winner } => {
                problem.with_metadata("id", id.to_string()).with_metadata("merged_into", winner.to_string())
            }
            Error::RefusedWith(_, detail) => problem.with_detail(detail),
            // Every replica asks the same server: none of them is at fault, and none would do better. Nor is it at fault for
            // what callers make of its connections.
            Error::Database(DatabaseError::Unavailable(_) | DatabaseError::Refused(_) | DatabaseError::Exhausted) => {
                problem.with_retry_delay(RETRY_DELAY).passed_on()
            }
            _ if matches!(code, Code::Unavailable | Code::ResourceExhausted) => problem.with_retry_delay(RETRY_DELAY),
            _ => problem,
        }
        .into();
        if outdated {
            Repeat::mark(&mut status);
        }
        status
    }
}

/// What the caller did wrong is the caller's to log; what is wrong with us is logged here, once.
fn log(code: Code, reason: &str, error: &Error) {
    match code {
        Code::Internal => tracing::error!(reason, %error, "call failed by a defect"),
        Code::Unavailable if matches!(error, Error::Database(_)) => {
            tracing::warn!(reason, %error, "call failed without the database");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crm_database::{Constraint, ConstraintKind, Diagnostic};
    use tonic_types::StatusExt;

    use super::*;
    use crate::refusal::{EXPORT_RUNS, REQUEST_ID_REUSED};

    fn status(error: Error) -> (Code, String, Status) {
        let status = Status::from(error);
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
        (status.code(), reason, status)
    }

    #[test]
    fn reasons_of_the_database_come_with_their_codes() {
        let check = |error: Error, code: Code, reason: &str| {
            assert_eq!(error.code_and_reason(), (code, reason));
            assert!(crm_database::REASONS.iter().any(|(listed, _)| *listed == reason), "{reason} is not listed");
        };
        let fault = || Diagnostic { sqlstate: None, summary: "x".to_owned() };
        check(Error::Refused(&REQUEST_ID_REUSED), Code::InvalidArgument, "REQUEST_ID_REUSED");
        for (error, code, reason) in [
            (DatabaseError::Unavailable(fault()), Code::Unavailable, "DATABASE_UNAVAILABLE"),
            (DatabaseError::Refused(fault()), Code::Unavailable, "DATABASE_UNAVAILABLE"),
            (DatabaseError::Outdated(fault()), Code::Unavailable, "DATABASE_UNAVAILABLE"),
            (DatabaseError::Exhausted, Code::Unavailable, "DATABASE_UNAVAILABLE"),
            (DatabaseError::DeadlineExceeded, Code::DeadlineExceeded, "DATABASE_TIMEOUT"),
            (DatabaseError::Conflict(fault()), Code::Aborted, "TRANSACTION_CONFLICT"),
            (DatabaseError::Fault(fault()), Code::Internal, "DATABASE_FAULT"),
        ] {
            check(error.into(), code, reason);
        }
    }

    #[test]
    fn a_tenant_that_has_its_share_is_told_by_the_servers_reason_and_when_to_come_back() {
        for error in [Error::Refused(&EXPORT_RUNS), DatabaseError::ShareTaken.into()] {
            let (code, reason, status) = status(error);
            assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
            assert!(crm_server::REASONS.iter().any(|(listed, _)| *listed == reason));
            assert!(status.get_error_details().retry_info().is_some());
        }
    }

    #[test]
    fn neither_an_absent_database_nor_an_exhausted_pool_is_held_against_the_replica() {
        let fault = Diagnostic { sqlstate: None, summary: "x".to_owned() };
        for error in [DatabaseError::Unavailable(fault), DatabaseError::Exhausted] {
            let (code, reason, status) = status(Error::Database(error));
            assert_eq!((code, reason.as_str()), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
            assert!(status.get_error_details().retry_info().is_some());
            assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
        }
    }

    #[test]
    fn a_defect_tells_the_caller_nothing() {
        let (name, table) = ("accounts_secret".to_owned(), "accounts".to_owned());
        let constraint = Constraint { name, table, kind: ConstraintKind::Check };
        let (code, _, status) = status(Error::Database(DatabaseError::Constraint(constraint)));
        assert_eq!((code, status.message()), (Code::Internal, "internal error"));
    }
}
