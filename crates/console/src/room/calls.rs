//! Calls of the last moments that are worth a look, taken from the trace viewer.

use crate::tour::Find;

/// The slowest first, and the failed ones newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RecentCalls {
    pub(crate) slow: Vec<Call>,
    pub(crate) failed: Vec<Call>,
}

impl RecentCalls {
    /// Those among which a tour finds its trace.
    pub(crate) fn of(&self, find: Find) -> &[Call] {
        match find {
            Find::Slowest => &self.slow,
            Find::Failed => &self.failed,
        }
    }
}

/// One call, as its trace tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) trace: String,
    /// `AccountService/GetAccount`.
    pub(crate) name: String,
    pub(crate) took_ms: f64,
    /// What the caller was told.
    pub(crate) status: String,
    /// The replicas that were tried, in order, each with whether its attempt failed.
    pub(crate) tried: Vec<(String, bool)>,
    /// Microseconds since 1970.
    pub(crate) started_us: u64,
}

impl Call {
    /// Whether the caller was told of a failure.
    pub(crate) fn failed(&self) -> bool {
        self.status != "OK"
    }

    /// Whether a replica failed and another one made up for it.
    pub(crate) fn was_saved(&self) -> bool {
        !self.failed() && self.tried.iter().any(|(_, failed)| *failed)
    }
}
