//! Invalidations that Redis has not confirmed.
//!
//! While Redis is away, a write still invalidates; else the old row would be found there when Redis is back. The keys are
//! kept, with the newest version of each, and told first thing after the return. Beyond a bound whole caches are emptied.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;

const MAX_KEYS: usize = 10_000;

/// A key and the version that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) cache: &'static str,
    pub(crate) key: String,
    pub(crate) version: u64,
}

/// What is to be told.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) keys: Vec<Forgotten>,
    /// Caches of which so many keys are pending that all of them are to be forgotten.
    pub(super) whole: Vec<&'static str>,
}

#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    keys: HashMap<(&'static str, String), u64>,
    whole: BTreeSet<&'static str>,
}

impl Pending {
    pub(super) fn add(&self, forgotten: Forgotten) {
        let mut state = self.0.lock();
        let Forgotten { cache, key, version } = forgotten;
        if state.whole.contains(cache) {
            return;
        }
        if state.keys.len() >= MAX_KEYS {
            let overflowing = state.keys.drain().map(|((cache, _), _)| cache).chain([cache]).collect::<BTreeSet<_>>();
            state.whole.extend(overflowing);
            return;
        }
        let newest = state.keys.entry((cache, key)).or_default();
        *newest = version.max(*newest);
    }

    pub(super) fn add_whole(&self, cache: &'static str) {
        self.0.lock().whole.insert(cache);
    }

    /// All of it; whoever takes it puts back what could not be told.
    pub(super) fn take(&self) -> Backlog {
        let state = std::mem::take(&mut *self.0.lock());
        let keys = state.keys.into_iter().map(|((cache, key), version)| Forgotten { cache, key, version });
        Backlog { keys: keys.collect(), whole: state.whole.into_iter().collect() }
    }
}

impl Backlog {
    /// The caches that are concerned.
    pub(super) fn caches(&self) -> Vec<&'static str> {
        let caches: BTreeSet<_> = self.keys.iter().map(|key| key.cache).chain(self.whole.iter().copied()).collect();
        caches.into_iter().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.whole.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten(key: &str, version: u64) -> Forgotten {
        Forgotten { cache: "accounts", key: key.to_owned(), version }
    }

    #[test]
    fn newest_version_of_a_key_is_kept() {
        let pending = Pending::default();
        for version in [2, 5, 3] {
            pending.add(forgotten("a", version));
        }
        assert_eq!(pending.take().keys, [forgotten("a", 5)]);
        assert!(pending.take().is_empty());
    }

    #[test]
    fn too_many_keys_become_their_whole_cache() {
        let pending = Pending::default();
        for number in 0..=MAX_KEYS {
            pending.add(forgotten(&number.to_string(), 1));
        }
        pending.add(forgotten("later", 1));
        let backlog = pending.take();
        assert!(backlog.keys.is_empty());
        assert_eq!(backlog.whole, ["accounts"]);
    }
}
