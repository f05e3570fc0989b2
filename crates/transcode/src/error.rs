//! What can go wrong: at construction, at routing, in a caller's request, in an upstream's answer.

use std::fmt;

use http::Method;

/// Machine-readable reasons that this crate puts into `ErrorInfo` and field violations, and when.
pub const REASONS: &[(&str, &str)] = &[
    ("ROUTE_NOT_FOUND", "no route of the API has this path"),
    ("METHOD_NOT_ALLOWED", "the path exists, for other HTTP methods; the `Allow` header names them"),
    ("INVALID_REQUEST", "the request does not fit its message; the field violations say where"),
    ("MALFORMED_JSON", "the body is not JSON, or nested too deeply; the violation names line and column"),
    ("BODY_TOO_LARGE", "the body is longer than the server accepts"),
    ("UNKNOWN_FIELD", "a query parameter or JSON key names no field that can be set there"),
    ("INVALID_VALUE", "a value does not have the type or form of its field"),
    (
        "CONFLICTING_VALUE",
        "a field is given more than once: in path or header and elsewhere, twice, or two of one choice",
    ),
];

/// Why a descriptor set cannot be served, or an upstream's bytes cannot be shown as JSON.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The descriptor set does not decode or does not hold together.
    #[error("descriptor set is unusable: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A `google.api.http` rule is wrong.
    #[error("route of {method} is unusable: {fault}")]
    Rule {
        /// Full name of the RPC, such as `crm.customers.v1.AccountService.GetAccount`.
        method: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Two RPCs claim the same HTTP method and path.
    #[error("route `{route}` of {second} is taken by {first}")]
    DuplicateRoute {
        /// HTTP method and path template.
        route: String,
        /// The RPC that has the route.
        first: String,
        /// The RPC that claims it, too.
        second: String,
    },
    /// The bytes are not a message of the type.
    #[error("bytes are not a {message}")]
    Decode {
        /// Full name of the message type.
        message: String,
    },
    /// A message holds what JSON cannot say, such as a year 10,000.
    #[error("{message} has no JSON form")]
    Unrepresentable {
        /// Full name of the message type.
        message: String,
    },
    /// No such message type.
    #[error("message type {0} is unknown")]
    UnknownMessage(String),
}

/// Why no RPC answers to a method and path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No route has this path.
    #[error("no such route")]
    NotFound,
    /// Routes have this path, for other methods.
    #[error("method not allowed here")]
    MethodNotAllowed {
        /// The methods that are allowed, for the `Allow` header; sorted by name.
        allow: Vec<Method>,
    },
}

impl RouteError {
    /// Value of the `Allow` header, if one is due.
    pub fn allow_header(&self) -> Option<String> {
        match self {
            Self::NotFound => None,
            Self::MethodNotAllowed { allow } => Some(allow.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request message, spelled as the caller did: `account.emails[1]`; `body` for the whole.
    pub field: String,
    /// What is wrong; never holds the value.
    pub description: String,
    /// One of [`REASONS`].
    pub reason: &'static str,
}

/// A request that does not fit its message; holds every fault found, up to [`crate::Limits::violations`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// The faults, in the order body, query, path, headers; never empty.
    pub violations: Vec<Violation>,
}

impl RequestError {
    /// The reason for `ErrorInfo`: the faults' own where all have the same, else `INVALID_REQUEST`.
    pub fn reason(&self) -> &'static str {
        match self.violations.first() {
            Some(first) if self.violations.iter().all(|one| one.reason == first.reason) => first.reason,
            _ => "INVALID_REQUEST",
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("invalid request")?;
        for (index, one) in self.violations.iter().enumerate() {
            write!(out, "{} {}: {}", if index == 0 { ":" } else { ";" }, one.field, one.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestError {}
