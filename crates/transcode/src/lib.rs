#![doc = include_str!("../README.md")]

mod annotations;
mod binding;
mod conditions;
mod connect;
mod entity_tag;
mod error;
mod events;
mod faults;
mod field_path;
pub mod frame;
mod json;
mod key;
mod limits;
mod mask;
mod openapi;
mod percent;
mod query;
mod request;
mod router;
mod rpc;
mod spelling;
mod status;
mod template;
mod transcoder;

pub use conditions::{Answer, Conditions, Request, Verdict};
pub use connect::Codec;
pub use error::{Error, REASONS, RequestError, RouteError, Violation};
pub use events::EVENT_STREAM;
pub use key::{IDEMPOTENCY_KEY, is_same_key};
pub use limits::Limits;
pub use request::refuse_repeated_keys;
pub use rpc::{Idempotency, Rpc};
pub use status::{ERROR_DOMAIN, GrpcStatus, http_status};
pub use transcoder::{Match, Transcoder};

/// Content type of the files that a server streams (`google.api.HttpBody`): all that there are are tables.
pub const CSV: &str = "text/csv; charset=utf-8";

/// Content type of a server stream over REST: one JSON value a line.
pub const NDJSON: &str = "application/x-ndjson";
