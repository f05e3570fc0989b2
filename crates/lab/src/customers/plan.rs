//! How much, and how long it is looked at.

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Contacts, with a tenth as many accounts and three times as many activities.
    pub contacts: u32,
    /// How long the load lasts, in seconds.
    pub seconds: u32,
    /// Times that two calls are compared which follow each other.
    pub pairs: u32,
    /// Rows of the file that is imported.
    pub rows: u32,
    /// Contacts of an account that goes into another one.
    pub children: u32,
    /// Whether what was killed is gone on with when its lease has run out, or at once.
    pub waits: bool,
}

impl Plan {
    /// As the claims are worded.
    pub const WHOLE: Self =
        Self { contacts: 1_000_000, seconds: 60, pairs: 1_000, rows: 100_000, children: 10_000, waits: true };

    /// For a first look: within four minutes.
    pub const QUICK: Self =
        Self { contacts: 100_000, seconds: 15, pairs: 300, rows: 10_000, children: 2_000, waits: false };

    /// Contacts of the database beside.
    pub(super) fn small(&self) -> u32 {
        self.contacts / 10
    }
}
