//! What every port shares: the store, the counters and the limits.

use parking_lot::RwLock;

use crate::{
    config::Config,
    counters::Counters,
    store::{Store, Usage},
};

/// Shared state, behind one `Arc`. The store's lock is never held across an await.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) store: RwLock<Store>,
    pub(crate) counters: Counters,
}

impl App {
    pub(crate) fn new(config: Config) -> Self {
        let limit = Usage { spans: config.max_spans, bytes: config.max_bytes };
        Self { store: RwLock::new(Store::new(limit, config.slow)), counters: Counters::default(), config }
    }
}
