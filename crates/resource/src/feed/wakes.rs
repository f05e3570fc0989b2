//! Who is woken when something has been committed.
//!
//! In the committing process by the commit itself; in others by what Redis tells them to forget, for the tenant stands in
//! each key. Either may be missed: whoever waits is also woken by a look at the journal, once for all (see `hub`).

use std::collections::HashMap;
use std::sync::Arc;

use crm_cache::Overhear;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// Of one process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wakes(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    tenants: Mutex<HashMap<Uuid, Arc<Notify>>>,
    /// Counts wakes, whosever.
    any: watch::Sender<u64>,
}

impl Wakes {
    /// Something of this tenant has been committed, or may have been.
    pub(crate) fn wake(&self, tenant: Uuid) {
        let found = self.0.tenants.lock().get(&tenant).cloned();
        if let Some(notify) = found {
            notify.notify_one();
        }
        self.0.any.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Anything may have been committed.
    pub(crate) fn wake_all(&self) {
        let all: Vec<_> = self.0.tenants.lock().values().cloned().collect();
        all.iter().for_each(|notify| notify.notify_one());
        self.0.any.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes of one tenant, for the one that waits for it in this process.
    pub(super) fn of(&self, tenant: Uuid) -> Wake {
        let notify = Arc::<Notify>::default();
        self.0.tenants.lock().insert(tenant, Arc::clone(&notify));
        Wake { table: Arc::clone(&self.0), tenant, notify }
    }

    /// Wakes of any tenant.
    pub(super) fn any(&self) -> watch::Receiver<u64> {
        self.0.any.subscribe()
    }

    pub(super) fn is_waited_for(&self) -> bool {
        !self.0.tenants.lock().is_empty()
    }
}

/// Other replicas' commits, as Redis tells of them.
impl Overhear for Wakes {
    fn key(&self, key: &str) {
        let tenant = key.split_once(':').and_then(|(tenant, _)| Uuid::try_parse(tenant).ok());
        tenant.map_or_else(|| self.wake_all(), |tenant| self.wake(tenant));
    }

    fn anything(&self) {
        self.wake_all();
    }
}

/// A tenant that is waited for, until this is dropped.
#[derive(Debug)]
pub(super) struct Wake {
    table: Arc<Table>,
    tenant: Uuid,
    notify: Arc<Notify>,
}

impl Wake {
    /// Until something may have been committed since the last time.
    pub(super) async fn woken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        let mut tenants = self.table.tenants.lock();
        // Somebody else may wait for the same tenant by now.
        if tenants.get(&self.tenant).is_some_and(|notify| Arc::ptr_eq(notify, &self.notify)) {
            tenants.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_tenant_s_wake_wakes_no_other_and_none_is_lost_that_comes_before_one_waits() {
        let (wakes, acme, other) = (Wakes::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let (waits, others) = (wakes.of(acme), wakes.of(other));
        let key = |tenant: Uuid| format!("{}:{}", tenant.simple(), Uuid::from_u128(3).simple());
        for wake in [|wakes: &Wakes, _: &str| wakes.wake(Uuid::from_u128(1)), |wakes: &Wakes, key: &str| wakes.key(key)]
        {
            wake(&wakes, &key(acme));
            assert!(waits.woken().now_or_never().is_some());
            assert!(waits.woken().now_or_never().is_none());
            assert!(others.woken().now_or_never().is_none());
        }
        for wake in [Wakes::anything, |wakes: &Wakes| wakes.key("no tenant")] {
            wake(&wakes);
            assert!(waits.woken().now_or_never().is_some() && others.woken().now_or_never().is_some());
        }
    }

    #[test]
    fn who_waits_later_for_the_same_tenant_goes_on_when_the_earlier_one_leaves() {
        let (wakes, acme) = (Wakes::default(), Uuid::from_u128(1));
        let (earlier, later) = (wakes.of(acme), wakes.of(acme));
        drop(earlier);
        wakes.wake(acme);
        assert!(later.woken().now_or_never().is_some());
        drop(later);
        assert!(!wakes.is_waited_for());
    }
}
