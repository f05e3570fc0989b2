//! Where large messages are turned into JSON, and back.
//!
//! A page of a thousand rows takes the better part of a hundredth of a second, and nobody else has a turn on a worker in
//! that time: sixty such pages, one behind the other, are half a second for everybody. So what is large is done beside the
//! workers, in turns of so many at a time as there are workers.

use std::sync::{
    LazyLock,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use crm_shares::{Holder, Turns};
use crm_telemetry::{metrics, names};
use opentelemetry::metrics::Counter;
use tokio::runtime::{Handle, RuntimeFlavor};

/// A message of so many bytes is large: its JSON is about four times as long. JSON that becomes a message counts as a
/// quarter of its length.
const LARGE_BYTES: usize = 16 * 1024;
const JSON_IS_LONGER_BY: usize = 4;

static COUNTED: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::GATEWAY_LARGE_MESSAGES));
static WAITING: AtomicI64 = AtomicI64::new(0);
static GAUGE: LazyLock<()> = LazyLock::new(|| {
    #[allow(clippy::cast_precision_loss, reason = "calls stay far below 2^53")]
    metrics::observe_gauge(&names::GATEWAY_LARGE_MESSAGES_WAITING, |gauge| {
        gauge.observe(WAITING.load(Relaxed) as f64, &[]);
    });
});

/// Places for large messages; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Desk(Turns);

/// A message's turn, which lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// None is needed for what is small.
    place: Option<crm_shares::Turn>,
}

impl Desk {
    /// So many places, two at least.
    pub(crate) fn new(places: usize) -> Self {
        LazyLock::force(&GAUGE);
        Self(Turns::new(places.max(2)))
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
        let place = self.0.take(holder).await;
        COUNTED.add(1, &[]);
        Turn { place: Some(place) }
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
    async fn what_is_small_waits_for_nobody_and_what_is_large_for_its_tenant_s_turn() {
        let desk = Desk::new(1);
        let first = take(&desk, Some(1)).unwrap();
        assert!(desk.turn_to_write(&LARGE[1..], Some(1)).now_or_never().is_some());
        assert!(desk.turn_to_read(LARGE, Some(1)).now_or_never().is_some());
        assert!(desk.turn_to_read(&[0; 4 * LARGE_BYTES], Some(1)).now_or_never().is_none());
        assert!(take(&desk, Some(1)).is_none());
        let _other = take(&desk, Some(2)).expect("a place of its own, of two at least");
        drop(first);
        assert!(take(&desk, Some(1)).is_some());
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
