//! How large a journal, and how long it is looked at.

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Changes in the journal, roughly: each record has a whole number of them.
    pub entries: u32,
    /// How long a load lasts, in seconds.
    pub seconds: u32,
    /// Calls a second.
    pub rate: u32,
    /// Times that each place of the journal is read from.
    pub rounds: u32,
}

impl Plan {
    /// As the claims are worded: ten minutes.
    pub const WHOLE: Self = Self { entries: 10_000_000, seconds: 60, rate: 200, rounds: 6 };

    /// For a first look: within four minutes.
    pub const QUICK: Self = Self { entries: 1_000_000, seconds: 20, rounds: 3, ..Self::WHOLE };

    /// Accounts that the changes are of: 25 each on average.
    pub(super) fn records(&self) -> u32 {
        (self.entries / 25).max(1)
    }
}
