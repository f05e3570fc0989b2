//! What a pool needs to know, with defaults that suit a small service process.

use std::fmt;
use std::time::Duration;

use crate::Error;
use crate::shared::read_url;

/// Settings of one [`Database`](crate::Database).
///
/// `Debug` leaves the URL out: it may hold a password.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://role@host/database`: the service's role, never the owner's.
    pub url: String,
    /// Most connections that are open at once (default 10).
    pub max_connections: u32,
    /// Longest wait for a free connection (default 2 s; sqlx's own default of 30 s outlives any caller).
    pub acquire_timeout: Duration,
    /// Longest run of one statement, when the caller's deadline does not ask for less (default 10 s).
    pub statement_timeout: Duration,
    /// Shown in `pg_stat_activity` (default `crm`).
    pub application_name: String,
}

impl Settings {
    /// Defaults for everything but the URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            application_name: "crm".to_owned(),
        }
    }

    /// Whether this is the URL of a database, as far as that can be told without asking there.
    ///
    /// # Errors
    /// What is wrong with it, without the URL: it may hold a password.
    pub fn check_url(url: &str) -> Result<(), Error> {
        read_url(url).map(drop)
    }

    /// Refuses limits of zero, which would mean "none" to Postgres and "never" to the pool.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let faults: Vec<&str> = [
            (self.max_connections == 0, "max_connections must be 1 or more"),
            (self.acquire_timeout.is_zero(), "acquire_timeout must be longer than 0"),
            (self.statement_timeout.is_zero(), "statement_timeout must be longer than 0"),
        ]
        .into_iter()
        .filter_map(|(wrong, rule)| wrong.then_some(rule))
        .collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Settings(faults.join("; "))) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("application_name", &self.application_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_s_url_says_so() {
        for url in ["postgres://crm@db/crm", "postgresql://db:6432/crm?sslmode=require", "postgres://%2Frun%2Fpg/crm"] {
            Settings::check_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
        for wrong in
            ["http://crm:hunter2@db/crm", "mysql://db/crm", "crm@db", "", "postgres:", "postgres://db:x/hunter2"]
        {
            let error = Settings::check_url(wrong).unwrap_err();
            assert!(error.is_lasting() && !error.to_string().contains("hunter2"), "{wrong}: {error}");
        }
    }
}
