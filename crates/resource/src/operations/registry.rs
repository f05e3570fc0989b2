//! The kinds of operation that a process knows, and what those who start, run and watch operations tell each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

use super::kind::{AnyOperation, Operation};
use super::metrics;
use super::statements::Statements;
use super::waits::Waits;

type Kinds = BTreeMap<&'static str, Arc<dyn AnyOperation>>;

/// Of one process; cheap to clone.
#[derive(Clone)]
pub(crate) struct Registry(Arc<Shared>);

pub(crate) struct Shared {
    kinds: RwLock<Kinds>,
    pub(super) statements: Statements,
    /// Told of each operation that this process can begin or go on with.
    pub(super) due: Notify,
    /// Those who wait for the end of one.
    pub(super) waits: Waits,
    pub(super) running: AtomicUsize,
    pub(super) waiting: AtomicU64,
}

impl Registry {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let shared = Arc::new(Shared {
            kinds: RwLock::default(),
            statements: Statements::new(schema),
            due: Notify::new(),
            waits: Waits::new(),
            running: AtomicUsize::new(0),
            waiting: AtomicU64::new(0),
        });
        metrics::observe(&shared);
        Self(shared)
    }

    pub(super) fn add<O: Operation>(&self, operation: O) {
        self.0.kinds.write().unwrap_or_else(PoisonError::into_inner).insert(O::NAME, Arc::new(operation));
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<dyn AnyOperation>> {
        self.0.kinds.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Whether this process runs operations of that name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Kinds that nobody cancels once they have begun.
    pub(super) fn going_through(&self) -> Vec<String> {
        let kinds = self.0.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().filter(|(_, kind)| kind.goes_through()).map(|(name, _)| (*name).to_owned()).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let kinds = self.0.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.keys().map(|name| (*name).to_owned()).collect()
    }
}

impl std::ops::Deref for Registry {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registry").field("kinds", &self.names()).finish_non_exhaustive()
    }
}
