//! gRPC calls as spans and metrics, by OpenTelemetry's RPC conventions v1.45.

mod attempt;
mod call;
mod code;
mod layer;
mod method;
mod timed;
mod timeout;

pub use attempt::Attempt;
pub use code::{CallersFault, code_of, is_server_error, status_text, trailers};
pub use layer::{CallBody, CallFuture, ServerLayer, ServerService};
pub use method::{Method, Methods, OTHER};
pub use timed::Timed;
pub use timeout::{GRPC_TIMEOUT, MalformedTimeout, read_timeout, write_timeout};
