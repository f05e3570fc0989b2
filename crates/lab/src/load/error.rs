//! Why a run could not be made.

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A request of the scenario does not fit the API.
    #[error("{0}")]
    Request(String),
    /// Keys could not be fetched.
    #[error("keys.{set}: {reason}")]
    Keys {
        /// The set.
        set: String,
        /// What went wrong.
        reason: String,
    },
    /// The machine did not give what the generator needs.
    #[error("cannot start the generator: {0}")]
    Start(String),
}
