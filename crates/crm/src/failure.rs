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
    #[error("{}", with_causes(.0))]
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

/// An error and what caused it. Some say their cause themselves: it is not said twice.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Error {
        #[error("CRM_REDIS_URL: {0}")]
        Says(#[source] std::fmt::Error),
        #[error("settings")]
        Keeps(#[source] std::fmt::Error),
    }

    #[test]
    fn a_cause_is_said_once() {
        let said = |error: anyhow::Error| Failure::Other(error.context("customers")).to_string();
        let cause = std::fmt::Error.to_string();
        assert_eq!(said(anyhow!(Error::Says(std::fmt::Error))), format!("customers: CRM_REDIS_URL: {cause}"));
        assert_eq!(said(anyhow!(Error::Keeps(std::fmt::Error))), format!("customers: settings: {cause}"));
    }
}
