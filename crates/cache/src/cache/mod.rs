//! The cache: two tiers, one load per key at a time, and writes that no fill can undo.

mod get;
mod get_many;
mod keep;

use std::fmt;
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;

use crate::first_tier::FirstTier;
use crate::flight::Flights;
use crate::metrics::{Instruments, Removal, Tier, observe_size};
use crate::redis::{Forgotten, Listener};
use crate::{Entry, Policy, Redis, Switch, Switches};

/// Fills of the second tier that may be under way at once; a fill beyond them is left out.
const FILLS_AT_ONCE: usize = 256;

/// A read-through cache of values of one type; cheap to clone.
pub struct Cache<V: Entry> {
    inner: Arc<Inner<V>>,
}

struct Inner<V: Entry> {
    policy: Policy,
    switches: Arc<Switches>,
    redis: Redis,
    tier: FirstTier<V>,
    flights: Flights<V>,
    instruments: Arc<Instruments>,
    fills: Arc<Semaphore>,
}

impl<V: Entry> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<V: Entry> fmt::Debug for Cache<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cache").field("policy", &self.inner.policy).finish_non_exhaustive()
    }
}

impl<V: Entry> Cache<V> {
    /// A cache with switches of its own, all on.
    pub fn new(redis: Redis, policy: Policy) -> Self {
        Self::with_switches(redis, policy, Arc::default())
    }

    /// A cache that shares its switches with others.
    pub fn with_switches(redis: Redis, policy: Policy, switches: Arc<Switches>) -> Self {
        let instruments = Arc::new(Instruments::new(policy.name));
        let name = policy.name;
        let inner = Arc::new(Inner {
            tier: FirstTier::new(&policy, Arc::clone(&instruments)),
            flights: Flights::new(),
            fills: Arc::new(Semaphore::new(FILLS_AT_ONCE)),
            policy,
            switches,
            redis,
            instruments,
        });
        let weak = Arc::downgrade(&inner);
        if let Some(link) = inner.redis.link() {
            link.register(name, Weak::clone(&weak) as Weak<dyn Listener>);
        }
        observe_size(weak);
        Self { inner }
    }

    /// The cache's switches.
    pub fn switches(&self) -> &Arc<Switches> {
        &self.inner.switches
    }

    /// Forgets the key everywhere, and refuses fills older than `version`, which the write has given the value.
    ///
    /// Call it after the commit, never before. A deletion gives a version, too. When it returns, this replica and Redis have
    /// forgotten; other replicas do within a round trip. With Redis away it returns after a short time-out, and the others
    /// are told when Redis is back.
    pub async fn invalidate(&self, key: &str, version: u64) {
        self.inner.forget_here(key, version, Removal::Local);
        let Some(link) = self.inner.redis.link().cloned() else { return };
        let inner = Arc::clone(&self.inner);
        let forgotten = Forgotten { cache: inner.policy.name, key: key.to_owned(), version };
        // In a task of its own: a caller that is cancelled has committed its write all the same.
        let telling = tokio::spawn(async move {
            link.forget_beside(&forgotten);
            link.forget(forgotten.clone()).await;
            // Again, for a lookup that has just read the old value from Redis.
            inner.forget_here(&forgotten.key, version, Removal::Local);
            link.forget_beside(&forgotten);
        });
        let _ = telling.await;
    }
}

impl<V: Entry> Inner<V> {
    fn is_on(&self, switch: Switch) -> bool {
        self.switches.is_on(switch)
    }

    fn forget_here(&self, key: &str, version: u64, why: Removal) {
        // First the ticket, then the flight: whoever loads anew takes a ticket that is valid.
        self.tier.forget(key, version, why);
        self.flights.detach(key);
    }
}

impl<V: Entry> Listener for Inner<V> {
    fn forget(&self, key: &str, version: u64) {
        self.forget_here(key, version, Removal::Remote);
    }

    fn forget_all(&self) {
        self.tier.forget_all();
        self.flights.detach_all();
    }
}

impl<V: Entry> Tier for Inner<V> {
    fn name(&self) -> &'static str {
        self.policy.name
    }

    fn entries_and_bytes(&self) -> (u64, u64) {
        self.tier.size()
    }
}
