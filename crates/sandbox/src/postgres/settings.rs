//! How a private PostgreSQL runs: as a demo that keeps what it acknowledged, or as fast as tests want it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::child::ChildSignal;

/// Settings of a private PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    durable: bool,
    parameters: Vec<(String, String)>,
    log: Option<PathBuf>,
}

impl PostgresSettings {
    /// Nothing that was acknowledged is lost, whatever dies: what `crm up` runs.
    #[must_use]
    pub fn durable() -> Self {
        let parameters = [
            ("max_connections", "200"),
            ("shared_buffers", "256MB"),
            ("effective_cache_size", "1GB"),
            ("work_mem", "16MB"),
            ("maintenance_work_mem", "128MB"),
            ("random_page_cost", "1.1"),
            // After a kill, recovery replays a minute of writes at most.
            ("checkpoint_timeout", "1min"),
            ("max_wal_size", "1GB"),
            // Until a table that was just filled is analysed its queries are planned by guesses, and a list sorts it whole.
            ("autovacuum_naptime", "5s"),
            ("track_io_timing", "on"),
        ];
        Self { durable: true, parameters: owned(&parameters), log: None }
    }

    /// Quick and forgetful: nothing is flushed to disk.
    #[must_use]
    pub fn for_tests() -> Self {
        let parameters = [
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("max_connections", "400"),
            ("shared_buffers", "128MB"),
            ("random_page_cost", "1.1"),
            // Many databases come and go: the log is replayed never, so let it stay small.
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("max_wal_size", "256MB"),
        ];
        Self { durable: false, parameters: owned(&parameters), log: None }
    }

    /// Sets one server parameter; a later value wins.
    #[must_use]
    pub fn set(mut self, parameter: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((parameter.into(), value.into()));
        self
    }

    /// Writes the server's log here instead of to `<home>/postgres.log`.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    pub(super) fn is_durable(&self) -> bool {
        self.durable
    }

    pub(super) fn log_path(&self, home: &Path) -> PathBuf {
        self.log.clone().unwrap_or_else(|| home.join("postgres.log"))
    }

    /// With its parent gone, a durable server still writes everything out; another one only has to vanish.
    pub(super) fn death_signal(&self) -> ChildSignal {
        if self.durable { ChildSignal::SIGINT } else { ChildSignal::SIGQUIT }
    }

    pub(super) fn arguments(&self, command: &mut Command, data: &Path, socket: &Path) {
        command.arg("-D").arg(data).arg("-k").arg(socket);
        command.args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "timezone=UTC"]);
        for (parameter, value) in &self.parameters {
            command.arg("-c").arg(format!("{parameter}={value}"));
        }
    }
}

fn owned(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
