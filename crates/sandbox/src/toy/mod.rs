//! A toy upstream: answers any unary gRPC method with fixed bytes, as slowly and as wrongly as it is told to.
//!
//! In this process ([`Toy`]) for tests that are quick to start, or as a child ([`ToyProcess`]) that can be killed and
//! paused. Both understand the same [`FailureMode`], and count calls per method.

mod answer;
mod counts;
mod failure_mode;
mod health;
mod ledger;
mod orders;
mod process;
mod server;
mod state;

pub use failure_mode::FailureMode;
pub use process::{ToyProcess, ToyRemote, serve_from_environment};
pub use server::Toy;

use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// How a toy upstream behaves when nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToySettings {
    /// How long a call holds a slot.
    pub service_time: Duration,
    /// How many calls are served at a time; the others wait in line.
    pub slots: usize,
    /// The message in each answer, without the gRPC frame around it.
    pub answer: Vec<u8>,
    /// Whether `grpc.health.v1` is there; without it the answer to a check is `UNIMPLEMENTED`.
    pub health: bool,
    /// A file in which each call is entered as it arrives, whatever becomes of it: a line with its method and its message
    /// in hexadecimal. Several toys may share it, and it tells what a killed one has been asked.
    pub ledger: Option<PathBuf>,
}

impl Default for ToySettings {
    /// Immediate, practically unlimited, an empty message, with a health service.
    fn default() -> Self {
        Self { service_time: Duration::ZERO, slots: 1024, answer: Vec::new(), health: true, ledger: None }
    }
}
