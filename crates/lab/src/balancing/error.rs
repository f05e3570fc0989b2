//! Why an experiment could not be made.

use std::io;

/// Why the experiment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A toy or a folder could not be had.
    #[error(transparent)]
    Sandbox(#[from] crm_sandbox::Error),
    /// A toy did not do as it was told.
    #[error("a toy upstream does not listen to orders: {0}")]
    Toy(io::Error),
    /// A proxy did not start.
    #[error("{0}")]
    Start(String),
    /// The gateway's control API did not answer as it should.
    #[error("the gateway's control API: {0}")]
    Control(String),
    /// The load could not be made.
    #[error("the load: {0}")]
    Load(String),
}
