//! Where large messages are turned into JSON, and back.
//!
//! A page of a thousand rows takes the better part of a hundredth of a second, and nobody else has a turn on a worker in
//! that time: sixty such pages, one behind the other, are half a second for everybody. So what is large is done beside the
//! workers, by so many at a time as there are workers, of which one tenant has half. Its further messages wait behind each
//! other, and each tenant's first ones take turns.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError, Weak,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use crm_shares::Holder;
use crm_telemetry::{metrics, names};
use opentelemetry::metrics::Counter;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// A message of so many bytes is large: its JSON is about four times as long. JSON that becomes a message counts as a
/// quarter of its length.
const LARGE_BYTES: usize = 16 * 1024;
const JSON_IS_LONGER_BY: usize = 4;

static TURNS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::GATEWAY_LARGE_MESSAGES));
static WAITING: AtomicI64 = AtomicI64::new(0);
static GAUGE: LazyLock<()> = LazyLock::new(|| {
    #[allow(clippy::cast_precision_loss, reason = "calls stay far below 2^53")]
    metrics::observe_gauge(&names::GATEWAY_LARGE_MESSAGES_WAITING, |gauge| {
        gauge.observe(WAITING.load(Relaxed) as f64, &[]);
    });
});

/// The places, shared by tenant.
#[derive(Debug, Clone)]
pub(crate) struct Desk(Arc<Places>);

#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    each: usize,
    /// Of those who work or wait; nobody else's is alive.
    tenants: Mutex<HashMap<u128, Weak<Semaphore>>>,
}

/// A message's turn, which lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// None is needed for what is small.
    place: Option<Place>,
}

/// Given back in this order: whoever comes next of the tenant finds a place, or waits for it with others.
#[derive(Debug)]
struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_tenant: Option<OwnedSemaphorePermit>,
}

impl Desk {
    /// So many places, two at least.
    pub(crate) fn new(places: usize) -> Self {
        LazyLock::force(&GAUGE);
        let places = places.max(2);
        Self(Arc::new(Places { all: Arc::new(Semaphore::new(places)), each: places / 2, tenants: Mutex::default() }))
    }

    /// The turn of a message that is to become JSON, as soon as it comes.
    pub(crate) async fn turn_to_write(&self, message: &[u8], holder: Holder) -> Turn {
        self.turn(message.len(), holder).await
    }

    /// The turn of JSON that is to become a message.
    pub(crate) async fn turn_to_read(&self, json: &[u8], holder: Holder) -> Turn {
        self.turn(json.len() / JSON_IS_LONGER_BY, holder).await
    }

    /// Whether a message has to wait for its turn.
    pub(crate) fn is_large(message: &[u8]) -> bool {
        message.len() >= LARGE_BYTES
    }

    async fn turn(&self, bytes: usize, holder: Holder) -> Turn {
        if bytes < LARGE_BYTES {
            return Turn { place: None };
        }
        let _waiting = Waiting::begin();
        let of_tenant = match holder {
            Some(holder) => self.tenant(holder).acquire_owned().await.ok(),
            None => None,
        };
        // Neither is ever closed.
        let of_all = Arc::clone(&self.0.all).acquire_owned().await.ok();
        TURNS.add(1, &[]);
        Turn { place: of_all.map(|of_all| Place { _of_all: of_all, _of_tenant: of_tenant }) }
    }

    fn tenant(&self, holder: u128) -> Arc<Semaphore> {
        // Every change is made whole before anything could panic.
        let mut tenants = self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(&holder).and_then(Weak::upgrade) {
            return known;
        }
        tenants.retain(|_, tenant| tenant.strong_count() > 0);
        let tenant = Arc::new(Semaphore::new(self.0.each));
        tenants.insert(holder, Arc::downgrade(&tenant));
        tenant
    }
}

impl Turn {
    /// Does the work. Of what is large, beside the worker, which goes on with other calls.
    pub(crate) fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        let has_others = || Handle::try_current().is_ok_and(|on| on.runtime_flavor() == RuntimeFlavor::MultiThread);
        if self.place.is_some() && has_others() { tokio::task::block_in_place(work) } else { work() }
    }
}

/// Counts who waits, and whoever gives up no longer.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WAITING.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use futures_util::FutureExt;

    use super::*;

    const LARGE: &[u8] = &[0; LARGE_BYTES];

    /// Whose turn comes at once.
    fn take(desk: &Desk, holder: Holder) -> Option<Turn> {
        desk.turn_to_write(LARGE, holder).now_or_never()
    }

    #[tokio::test]
    async fn one_tenant_has_half_of_the_places_and_each_has_its_turn() {
        let desk = Desk::new(4);
        let held = [take(&desk, Some(1)).unwrap(), take(&desk, Some(1)).unwrap()];
        assert!(take(&desk, Some(1)).is_none());
        // However many of its messages wait, another tenant's are next.
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(desk.turn_to_write(LARGE, Some(1)))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        let others = [take(&desk, Some(2)).unwrap(), take(&desk, Some(3)).unwrap()];
        let mut fourth = Box::pin(desk.turn_to_write(LARGE, Some(4)));
        assert!((&mut fourth).now_or_never().is_none());
        drop(held);
        let _fourth = fourth.now_or_never().expect("before what its tenant has beyond");
        let turns: Vec<_> = waiting.iter_mut().filter_map(|turn| turn.now_or_never()).collect();
        assert_eq!((turns.len(), others.len()), (1, 2), "what is left");
    }

    #[tokio::test]
    async fn what_is_small_waits_for_nobody_and_whoever_gives_up_leaves_nothing_behind() {
        let desk = Desk::new(2);
        let first = take(&desk, Some(1)).unwrap();
        assert!(desk.turn_to_write(&LARGE[1..], Some(1)).now_or_never().is_some());
        assert!(desk.turn_to_read(LARGE, Some(1)).now_or_never().is_some());
        assert!(desk.turn_to_read(&[0; 4 * LARGE_BYTES], Some(1)).now_or_never().is_none());
        for _ in 0..100 {
            assert!(take(&desk, Some(1)).is_none(), "given up");
        }
        drop(first);
        drop(take(&desk, Some(1)).unwrap());
        drop(take(&desk, Some(2)).unwrap());
        assert!(desk.0.tenants.lock().unwrap().len() <= 1);
        // Without tenants all that there is is for all.
        let _all = [take(&desk, None).unwrap(), take(&desk, None).unwrap()];
        assert!(take(&desk, None).is_none());
    }

    /// The only worker would wait for itself.
    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_have_their_turn_while_a_large_message_is_worked_on() {
        let (desk, (tell, told)) = (Desk::new(1), mpsc::channel());
        let working = tokio::spawn(async move {
            let turn = desk.turn_to_write(LARGE, Some(1)).await;
            tokio::spawn(async move { tell.send(()) });
            turn.work(|| told.recv_timeout(Duration::from_secs(20)))
        });
        assert!(working.await.unwrap().is_ok(), "nobody else had a turn");
    }
}
