//! A process's listening side: connections within bounds, and an end that loses no call.

mod connection;
mod drain;
mod first_bytes;
mod settings;
mod signal;
mod unread;
mod write_stall;

pub use drain::{serve, serve_grpc};
pub use settings::{Protocol, ServerSettings};
pub use signal::shutdown_signal;
pub use unread::TakeBy;
