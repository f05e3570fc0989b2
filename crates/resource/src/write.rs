//! A transaction that writes, and remembers what it touched.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crm_cache::{Cache, Entry};
use crm_database::TenantTransaction;
use futures_util::future::{BoxFuture, join_all};
use tracing::Instrument;

use crate::attributes::Known;
use crate::feed::Wakes;
use crate::{Call, Error};

/// A transaction of any number of writes. Dropped without [`commit`](Self::commit), none of them has happened.
pub struct Write {
    /// Whose.
    pub call: Call,
    transaction: TenantTransaction,
    touched: Vec<Touched>,
    wakes: Wakes,
    /// Definitions that nobody changes before it ends.
    pub(crate) held: Vec<(&'static str, Arc<Known>)>,
}

/// A record that was changed, and the cache that may hold its old state.
struct Touched {
    cache: Box<dyn Forgetful>,
    key: String,
    version: u64,
}

/// A cache of whatever.
trait Forgetful: Send {
    fn forget(self: Box<Self>, key: String, version: u64) -> BoxFuture<'static, ()>;
}

impl<V: Entry> Forgetful for Cache<V> {
    fn forget(self: Box<Self>, key: String, version: u64) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.invalidate(&key, version).await })
    }
}

impl Write {
    pub(crate) fn new(call: Call, transaction: TenantTransaction, wakes: Wakes) -> Self {
        Self { call, transaction, touched: Vec::new(), wakes, held: Vec::new() }
    }

    pub(crate) fn touch<V: Entry>(&mut self, cache: &Cache<V>, key: String, version: u64) {
        self.touched.push(Touched { cache: Box::new(cache.clone()), key, version });
    }

    /// Makes the writes durable, then has all caches forget what was there before, then wakes who waits for changes.
    ///
    /// In a task of its own: a caller that goes away between the two must not leave old states behind. The caches forget
    /// them even where the commit failed, for a lost connection does not tell whether it did.
    ///
    /// # Errors
    /// The database's.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { call, transaction, touched, wakes, held: _ } = self;
        let both = async move {
            let committed = transaction.commit().await;
            join_all(touched.into_iter().map(|Touched { cache, key, version }| cache.forget(key, version))).await;
            wakes.wake(call.tenant);
            committed
        };
        let committed = tokio::spawn(both.in_current_span()).await;
        Ok(committed.map_err(|_| Error::Inconsistent("a commit panicked"))??)
    }
}

impl Deref for Write {
    type Target = TenantTransaction;

    fn deref(&self) -> &TenantTransaction {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut TenantTransaction {
        &mut self.transaction
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Write").field("call", &self.call).field("touched", &self.touched.len()).finish()
    }
}
