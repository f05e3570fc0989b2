//! What a transaction may do, and how long it may rest.

use std::time::Duration;

/// A transaction that its service leaves alone is ended by the server after this long: it holds locks, and what it wrote
/// long ago becomes visible only now. Services promise how late that may be.
const IDLE: Duration = Duration::from_secs(10);
/// The same for a snapshot. Between two of its batches lies the time that a reader takes for one of them, which may be large
/// and the reader slow; whoever reads it out bounds that. This is for what bounds nothing any more.
const IDLE_SNAPSHOT: Duration = Duration::from_secs(600);

/// What a transaction may do, and which moment it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; each statement sees what was committed before it.
    ReadWrite,
    /// Reads only; each statement sees what was committed before it.
    ReadOnly,
    /// Reads only, all statements as of one moment: for exports.
    Snapshot,
}

impl Access {
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::ReadWrite => "begin",
            Self::ReadOnly => "begin read only",
            Self::Snapshot => "begin isolation level repeatable read read only",
        }
    }

    pub(crate) fn idle_limit(self) -> Duration {
        match self {
            Self::ReadWrite | Self::ReadOnly => IDLE,
            Self::Snapshot => IDLE_SNAPSHOT,
        }
    }
}
