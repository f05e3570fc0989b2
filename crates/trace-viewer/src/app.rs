//! What every port shares: the store, the counters and the limits.

use crate::config::Config;

/// Shared state, behind one `Arc`.
pub(crate) struct App {
    pub(crate) config: Config,
}

impl App {
    pub(crate) fn new(config: Config) -> Self {
        Self { config }
    }
}
