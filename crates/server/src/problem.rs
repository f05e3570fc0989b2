//! Errors that say what is wrong in a form that programs can read (AIP-193).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crm_proto::google::rpc;
use crm_telemetry::rpc::CallersFault;
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

/// Who stands behind the reasons: the `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "bellwether";

/// One fault of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request, `account.name`.
    pub field: String,
    /// The rule that it breaks, for people. Never quotes the value.
    pub description: String,
    /// The rule in SCREAMING_SNAKE_CASE, for programs.
    pub reason: &'static str,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into(), reason }
    }
}

/// An error on its way to the caller: a code, a stable reason, a message, and the details that fit.
#[derive(Clone, Debug)]
#[must_use]
pub struct Problem(Box<Parts>);

/// Behind a pointer, because results that carry a problem are moved around far more often than they hold one.
#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    reason: &'static str,
    message: String,
    violations: Vec<Violation>,
    metadata: HashMap<String, String>,
    retry_delay: Option<Duration>,
    is_passed_on: bool,
    is_of_the_call: bool,
    detail: Option<Any>,
}

impl Problem {
    /// `reason` must stand in a crate's `REASONS`; `message` is for people and holds no personal data.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: HashMap::new(),
            retry_delay: None,
            is_passed_on: false,
            is_of_the_call: false,
            detail: None,
        }))
    }

    /// INVALID_ARGUMENT with every violation at once.
    pub fn invalid(reason: &'static str, violations: Vec<Violation>) -> Self {
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        let message = format!("invalid: {}", fields.join(", "));
        Self::new(Code::InvalidArgument, reason, message).with_violations(violations)
    }

    /// Adds field violations, whatever the code.
    pub fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Adds a fact for programs: an id, a limit. No personal data, no secrets.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a message of ours, for programs that want to know more than a reason.
    pub fn with_detail(mut self, detail: Any) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Says when a retry is worth it, as RetryInfo and as `grpc-retry-pushback-ms`.
    pub fn with_retry_delay(mut self, delay: Duration) -> Self {
        self.0.retry_delay = Some(delay);
        self
    }

    /// Says that what failed stands behind this process, and behind its siblings alike: `grpc-retry-pushback-ms: -1`. A
    /// balancer neither tries another of them nor holds it against this one. RetryInfo goes on telling people when to come
    /// again.
    pub fn passed_on(mut self) -> Self {
        self.0.is_passed_on = true;
        self
    }

    /// Says that the call itself is at fault, whatever gRPC's code for it sounds like: waiting mends nothing
    /// (`grpc-retry-pushback-ms: -1`), no balancer holds it against this process, and it is not counted as our failure.
    pub fn of_the_call(mut self) -> Self {
        self.0.is_of_the_call = true;
        self
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }
}

impl From<Problem> for Status {
    /// Encoded here: the `reason` of a field's violation is newer than the ready-made bindings.
    fn from(Problem(parts): Problem) -> Self {
        let Parts { code, reason, message, violations, metadata, retry_delay, is_passed_on, is_of_the_call, detail } =
            *parts;
        let domain = DOMAIN.to_owned();
        let mut details = vec![any("ErrorInfo", &rpc::ErrorInfo { reason: reason.to_owned(), domain, metadata })];
        if !violations.is_empty() {
            let field_violations = violations.into_iter().map(field_violation).collect();
            details.push(any("BadRequest", &rpc::BadRequest { field_violations }));
        }
        if let Some(delay) = retry_delay {
            let retry_delay = prost_types::Duration::try_from(delay).ok();
            details.push(any("RetryInfo", &rpc::RetryInfo { retry_delay }));
        }
        details.extend(detail);
        let encoded = rpc::Status { code: code.into(), message: message.clone(), details }.encode_to_vec();
        let mut status = Self::with_details(code, message, encoded.into());
        let milliseconds = |delay: Duration| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let pushback = if is_passed_on || is_of_the_call { Some(-1) } else { retry_delay.map(milliseconds) };
        if let Some(pushback) = pushback {
            status.metadata_mut().insert("grpc-retry-pushback-ms", pushback.into());
        }
        if is_of_the_call {
            status.set_source(Arc::new(CallersFault));
        }
        status
    }
}

fn field_violation(violation: Violation) -> rpc::bad_request::FieldViolation {
    let Violation { field, description, reason } = violation;
    rpc::bad_request::FieldViolation { field, description, reason: reason.to_owned() }
}

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn all_violations_and_the_reason_reach_the_caller() {
        let violations = vec![
            Violation::new("account.name", "REQUIRED", "must not be empty"),
            Violation::new("account.size", "NEGATIVE", "must be 0 or more"),
        ];
        let status: Status = Problem::invalid("INVALID_ACCOUNT", violations).with_metadata("limit", "7").into();
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVALID_ACCOUNT", DOMAIN));
        assert_eq!(info.metadata["limit"], "7");
        let fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["account.name", "account.size"]);
        let details = rpc::Status::decode(status.details()).unwrap().details;
        let bad = details.iter().find(|any| any.type_url == "type.googleapis.com/google.rpc.BadRequest").unwrap();
        let bad = rpc::BadRequest::decode(&*bad.value).unwrap().field_violations;
        let found: Vec<_> = bad.iter().map(|one| (one.reason.as_str(), one.description.as_str())).collect();
        assert_eq!(found, [("REQUIRED", "must not be empty"), ("NEGATIVE", "must be 0 or more")]);
        assert_eq!(status.message(), "invalid: account.name, account.size");
    }

    #[test]
    fn a_retry_delay_is_pushed_back_in_metadata_and_details() {
        let problem = Problem::new(Code::ResourceExhausted, "OVERLOADED", "busy");
        let status: Status = problem.with_retry_delay(Duration::from_millis(250)).into();
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "250");
        let delay = status.get_error_details().retry_info().unwrap().retry_delay;
        assert_eq!(delay, Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_passed_on_says_so_and_still_when_to_come_again() {
        let problem = || Problem::new(Code::Unavailable, "DATABASE_UNAVAILABLE", "away").passed_on();
        let check = |status: Status, delay: Option<Duration>| {
            assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
            assert_eq!(status.get_error_details().retry_info().and_then(|info| info.retry_delay), delay);
        };
        let delay = Duration::from_millis(250);
        check(problem().into(), None);
        check(problem().with_retry_delay(delay).into(), Some(delay));
    }
}
