//! Everything that can go wrong, and the status that a caller gets for it.

use std::time::Duration;

use crm_database::Error as DatabaseError;
use crm_server::problem::{Problem, Violation};
use crm_server::stack::Repeat;
use crm_shares::TENANT_SHARE_TAKEN;
use tonic::{Code, Status};

/// Reasons that this service gives, for `google.rpc.ErrorInfo`, and when each is given.
///
/// Those of the database (`crm_database::REASONS`) and of the server (`crm_server::REASONS`) come on top.
pub const REASONS: &[(&str, &str)] = &[
    ("FIELDS_INVALID", "INVALID_ARGUMENT: one or more fields break their rules; BadRequest lists all of them"),
    ("ACCOUNT_NOT_FOUND", "NOT_FOUND: the tenant has no such account, or it is deleted"),
    ("CONTACT_NOT_FOUND", "NOT_FOUND: the tenant has no such contact, or it is deleted"),
    ("ACCOUNT_DOMAIN_TAKEN", "ALREADY_EXISTS: another account of the tenant has this domain"),
    ("ACCOUNT_NOT_DELETED", "ALREADY_EXISTS: the account to be undeleted is not deleted"),
    ("CONTACT_NOT_DELETED", "ALREADY_EXISTS: the contact to be undeleted is not deleted"),
    ("ETAG_MISMATCH", "ABORTED: the resource has changed since its etag was read; read it again"),
    ("ACCOUNT_PARENT_NOT_FOUND", "FAILED_PRECONDITION: the tenant has no such parent account, or it is deleted"),
    ("ACCOUNT_PARENT_CYCLE", "FAILED_PRECONDITION: the account would become its own ancestor"),
    (
        "ACCOUNT_PARENT_TOO_DEEP",
        "FAILED_PRECONDITION: the account, or a subsidiary below it, would have more than 32 ancestors",
    ),
    ("ACCOUNT_HAS_CONTACTS", "FAILED_PRECONDITION: the account has contacts that are not deleted"),
    ("ACCOUNT_HAS_SUBSIDIARIES", "FAILED_PRECONDITION: the account has subsidiaries that are not deleted"),
    (
        "CONTACT_ACCOUNT_NOT_FOUND",
        "FAILED_PRECONDITION: the tenant has no such account for the contact, or it is deleted",
    ),
    ("EXPORTS_BUSY", "RESOURCE_EXHAUSTED: this process runs as many exports as it may; try again"),
    ("EXPORT_STALLED", "ABORTED: nobody read the export for 30 seconds"),
    ("DATA_INCONSISTENT", "INTERNAL: stored data break a rule of this release; this is a defect"),
];

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each is explained by its row of REASONS")]
pub enum Error {
    #[error("{} fields are invalid", .0.len())]
    Invalid(Vec<Violation>),
    #[error("there is no such account")]
    AccountNotFound(uuid::Uuid),
    #[error("there is no such contact")]
    ContactNotFound(uuid::Uuid),
    #[error("another account has this domain")]
    DomainTaken,
    #[error("the account is not deleted")]
    AccountNotDeleted,
    #[error("the contact is not deleted")]
    ContactNotDeleted,
    #[error("the etag is stale: read the resource again")]
    EtagMismatch,
    #[error("there is no such parent account")]
    ParentNotFound,
    #[error("the account would become its own ancestor")]
    ParentCycle,
    #[error("the account or a subsidiary of it would be too deep in the hierarchy")]
    ParentTooDeep,
    #[error("the account has contacts: delete or move them first")]
    AccountHasContacts,
    #[error("the account has subsidiaries: delete or move them first")]
    AccountHasSubsidiaries,
    #[error("there is no such account for the contact")]
    ContactAccountNotFound,
    #[error("the request id was used for another request")]
    RequestIdReused,
    #[error("too many exports are running")]
    ExportsBusy,
    #[error("the tenant has an export under way in this process; others find a place")]
    ExportRuns,
    #[error("nobody read the export")]
    ExportStalled,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Inconsistent(&'static str),
}

/// When a database that is away, or an export's place, is worth another try.
const RETRY_DELAY: Duration = Duration::from_millis(250);

impl Error {
    fn code_and_reason(&self) -> (Code, &'static str) {
        match self {
            Self::Invalid(violations) => (Code::InvalidArgument, reason_of(violations)),
            Self::AccountNotFound(_) => (Code::NotFound, "ACCOUNT_NOT_FOUND"),
            Self::ContactNotFound(_) => (Code::NotFound, "CONTACT_NOT_FOUND"),
            Self::DomainTaken => (Code::AlreadyExists, "ACCOUNT_DOMAIN_TAKEN"),
            Self::AccountNotDeleted => (Code::AlreadyExists, "ACCOUNT_NOT_DELETED"),
            Self::ContactNotDeleted => (Code::AlreadyExists, "CONTACT_NOT_DELETED"),
            Self::EtagMismatch => (Code::Aborted, "ETAG_MISMATCH"),
            Self::ParentNotFound => (Code::FailedPrecondition, "ACCOUNT_PARENT_NOT_FOUND"),
            Self::ParentCycle => (Code::FailedPrecondition, "ACCOUNT_PARENT_CYCLE"),
            Self::ParentTooDeep => (Code::FailedPrecondition, "ACCOUNT_PARENT_TOO_DEEP"),
            Self::AccountHasContacts => (Code::FailedPrecondition, "ACCOUNT_HAS_CONTACTS"),
            Self::AccountHasSubsidiaries => (Code::FailedPrecondition, "ACCOUNT_HAS_SUBSIDIARIES"),
            Self::ContactAccountNotFound => (Code::FailedPrecondition, "CONTACT_ACCOUNT_NOT_FOUND"),
            Self::RequestIdReused => (Code::InvalidArgument, "REQUEST_ID_REUSED"),
            Self::ExportsBusy => (Code::ResourceExhausted, "EXPORTS_BUSY"),
            Self::ExportRuns => (Code::ResourceExhausted, TENANT_SHARE_TAKEN),
            Self::ExportStalled => (Code::Aborted, "EXPORT_STALLED"),
            Self::Database(error) => (database_code(error), error.reason()),
            Self::Inconsistent(_) => (Code::Internal, "DATA_INCONSISTENT"),
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
        _ => "FIELDS_INVALID",
    }
}

fn database_code(error: &DatabaseError) -> Code {
    match error {
        DatabaseError::Unavailable(_)
        | DatabaseError::Refused(_)
        | DatabaseError::Outdated(_)
        | DatabaseError::Exhausted => Code::Unavailable,
        DatabaseError::DeadlineExceeded => Code::DeadlineExceeded,
        DatabaseError::Conflict(_) => Code::Aborted,
        DatabaseError::Constraint(_) | DatabaseError::Fault(_) | DatabaseError::Settings(_) => Code::Internal,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = error.code_and_reason();
        log(code, reason, &error);
        // What is wrong inside is for the log alone.
        let message = if code == Code::Internal { "internal error".to_owned() } else { error.to_string() };
        let problem = Problem::new(code, reason, message);
        let outdated = matches!(error, Error::Database(DatabaseError::Outdated(_)));
        let mut status: Self = match error {
            Error::Invalid(violations) => Problem::invalid(reason, violations),
            Error::AccountNotFound(id) | Error::ContactNotFound(id) => problem.with_metadata("id", id.to_string()),
            // Every replica asks the same server: none of them is at fault, and none would do better.
            Error::Database(DatabaseError::Unavailable(_) | DatabaseError::Refused(_)) => {
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
        Code::Unavailable => tracing::warn!(reason, %error, "call failed without the database"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crm_database::{Constraint, ConstraintKind, Fault};
    use crm_telemetry::rpc::status_text;
    use tonic_types::StatusExt;

    use super::*;

    fn status(error: Error) -> (Code, String, Status) {
        let status = Status::from(error);
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
        (status.code(), reason, status)
    }

    #[test]
    fn every_reason_is_listed_with_its_code() {
        let id = uuid::Uuid::nil();
        let given = [
            Error::Invalid(Vec::new()),
            Error::AccountNotFound(id),
            Error::ContactNotFound(id),
            Error::DomainTaken,
            Error::AccountNotDeleted,
            Error::ContactNotDeleted,
            Error::EtagMismatch,
            Error::ParentNotFound,
            Error::ParentCycle,
            Error::ParentTooDeep,
            Error::AccountHasContacts,
            Error::AccountHasSubsidiaries,
            Error::ContactAccountNotFound,
            Error::ExportsBusy,
            Error::ExportStalled,
            Error::Inconsistent("x"),
        ]
        .map(|error| error.code_and_reason());
        for (code, reason) in given {
            let when = REASONS.iter().find(|(listed, _)| *listed == reason).map(|(_, when)| *when);
            let when = when.unwrap_or_else(|| panic!("{reason} is not listed"));
            assert!(when.starts_with(&format!("{}: ", status_text(code))), "{reason} comes with {code:?}: {when}");
        }
        for (listed, _) in REASONS {
            assert!(given.iter().any(|(_, reason)| reason == listed), "{listed} is never given");
        }
    }

    #[test]
    fn reasons_of_the_database_come_with_their_codes() {
        let check = |error: Error, code: Code, reason: &str| {
            assert_eq!(error.code_and_reason(), (code, reason));
            assert!(crm_database::REASONS.iter().any(|(listed, _)| *listed == reason), "{reason} is not listed");
        };
        let fault = || Fault { sqlstate: None, summary: "x".to_owned() };
        check(Error::RequestIdReused, Code::InvalidArgument, "REQUEST_ID_REUSED");
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
    fn a_tenant_with_an_export_is_told_by_the_servers_reason_and_when_to_come_back() {
        let (code, reason, status) = status(Error::ExportRuns);
        assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
        assert!(crm_server::REASONS.iter().any(|(listed, _)| *listed == reason));
        assert!(status.get_error_details().retry_info().is_some());
    }

    #[test]
    fn an_absent_database_is_passed_on_and_an_exhausted_pool_is_this_replicas_own() {
        let fault = Fault { sqlstate: None, summary: "x".to_owned() };
        for (error, pushback) in [(DatabaseError::Unavailable(fault), "-1"), (DatabaseError::Exhausted, "250")] {
            let (code, reason, status) = status(Error::Database(error));
            assert_eq!((code, reason.as_str()), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
            assert!(status.get_error_details().retry_info().is_some());
            assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), pushback);
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
