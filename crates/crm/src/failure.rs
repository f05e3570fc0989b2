//! How a command ends: the exit codes that scripts hold on to.

use std::process::ExitCode;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A threshold or check failed; what failed has been printed.
    #[error("{0}")]
    Check(String),
    /// Wrong usage.
    #[error("{0}")]
    Usage(String),
    /// Something needed is missing; the text says what and how to get it.
    #[error("{0}")]
    Missing(String),
    /// Anything else that went wrong.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    /// 1 a check failed, 2 wrong usage, 3 something needed is missing.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Check(_) | Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Missing(_) => 3,
        })
    }
}
