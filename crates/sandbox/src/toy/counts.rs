//! How many calls arrived, per method.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    /// Counts a call; how many there have been, this one included, over all methods.
    pub(super) fn add(&self, method: &str) -> u64 {
        let mut calls = self.lock();
        *calls.entry(method.to_owned()).or_default() += 1;
        calls.values().sum()
    }

    pub(super) fn all(&self) -> BTreeMap<String, u64> {
        self.lock().clone()
    }

    pub(super) fn of(&self, method: &str) -> u64 {
        self.lock().get(method).copied().unwrap_or_default()
    }

    pub(super) fn reset(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
