//! REST/JSON to gRPC and back, from a descriptor set.

mod error;
pub mod frame;
mod limits;
mod rpc;
mod transcoder;

pub use error::{Error, REASONS, RequestError, RouteError, Violation};
pub use limits::Limits;
pub use rpc::{Idempotency, Rpc};
pub use transcoder::{Match, Transcoder};
