//! What can go wrong while a private server or a child process is started, and how to help oneself.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why something in the sandbox could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that is needed is not installed.
    #[error("{program} not found (looked in {looked_in}); install it with: {install}")]
    Missing {
        /// The program's file name.
        program: &'static str,
        /// The places that were searched.
        looked_in: String,
        /// The command that installs it.
        install: &'static str,
    },
    /// A data folder written by another major version than the one installed.
    #[error(
        "{} was written by PostgreSQL {found}, installed is {installed}: install PostgreSQL {found}, \
         set CRM_POSTGRES_BIN to its bin folder, or remove the folder to start empty", folder.display()
    )]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// The major version that wrote it.
        found: String,
        /// The major version of the programs that were found.
        installed: String,
    },
    /// Servers run as another account when the caller is root, and that account cannot get to the folder.
    #[error(
        "{} cannot hold a server's data: {} is closed to the account that servers run as \
         (Postgres refuses root); choose another folder, such as one below /var/tmp", folder.display(), ancestor.display()
    )]
    Closed {
        /// The folder that was asked for.
        folder: PathBuf,
        /// The one above it that is closed.
        ancestor: PathBuf,
    },
    /// The server ended, or did not become ready in time.
    #[error("{server} did not become ready: {reason}{}", tail(log))]
    NotReady {
        /// Which server.
        server: &'static str,
        /// What was observed.
        reason: String,
        /// Its log, whose last lines are shown.
        log: PathBuf,
    },
    /// Something about the file system or a process.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A statement that prepares or removes a test database failed.
    #[error("{doing}: {source}")]
    Sql {
        /// What was being done.
        doing: String,
        /// The database's answer.
        source: sqlx::Error,
    },
    /// A template database could not be filled.
    #[error("setting up the template database `{template}`: {reason}")]
    Template {
        /// The name given by the test.
        template: String,
        /// What the set-up function answered.
        reason: String,
    },
}

impl Error {
    /// For `map_err` at a call of the operating system.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// For `map_err` at a call of the operating system about one path.
    pub(crate) fn path(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("{doing} {}", path.display()))
    }

    /// For `map_err` at a statement.
    pub(crate) fn sql(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Sql { doing, source }
    }
}

/// The last lines of a log, for an error message.
fn tail(log: &Path) -> String {
    const LINES: usize = 5;
    let Ok(text) = std::fs::read_to_string(log) else { return String::new() };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
    if last.is_empty() { String::new() } else { format!("; its log {} ends:\n  {last}", log.display()) }
}
