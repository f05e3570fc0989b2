//! Why the experiment could not be made.

/// Why the experiment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A server or a folder could not be had.
    #[error(transparent)]
    Sandbox(#[from] crm_sandbox::Error),
    /// A process did not start, or what it needs could not be made.
    #[error("{0}")]
    Start(String),
    /// The database refused a statement.
    #[error("the scratch database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The load could not be made.
    #[error("the load: {0}")]
    Load(String),
    /// Changes could not be read on.
    #[error("reading on: {0}")]
    Reader(String),
    /// A call that has to be answered was not.
    #[error("a call: {0}")]
    Call(String),
}
