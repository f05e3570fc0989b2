//! A process's listening side: connections within bounds, and an end that loses no call.

mod arriving;
mod connection;
mod drain;
mod etiquette;
mod header_limit;
mod settings;
mod signal;
mod silence;
mod unread;
mod write_stall;

pub use drain::{routes_service, serve, serve_grpc, serve_routes};
pub use settings::{Protocol, ServerSettings};
pub use signal::shutdown_signal;
pub use unread::TakeBy;
