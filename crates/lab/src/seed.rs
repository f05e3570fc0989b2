//! Where the random numbers of a run begin.

use std::time::{SystemTime, UNIX_EPOCH};

/// A new seed each time: runs shall not replay each other's keys out of a warm cache, and what holds shall not hold for
/// one sequence of arrivals only.
#[must_use]
pub fn fresh() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}
