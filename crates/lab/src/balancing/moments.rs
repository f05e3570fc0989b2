//! When a story took its turns.

use std::time::Duration;

/// The moments of a story, from the start of the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// Counting begins.
    pub(super) calm: Duration,
    /// One or all replicas break.
    pub(super) broken: Duration,
    /// They are well again.
    pub(super) healed: Duration,
}
