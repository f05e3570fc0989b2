//! Something scarce that is waited for, in turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Holder;

/// So many at a time, of which one holder has half: its further ones wait behind each other, and the first ones of each
/// holder take turns. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Places>);

#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    each: usize,
    /// Of those who have a turn or wait; nobody else's is alive.
    holders: Mutex<HashMap<u128, Weak<Semaphore>>>,
}

/// A turn, which lasts until it is dropped. Given back in this order: whoever comes next of the holder finds a place, or
/// waits for it with others.
#[derive(Debug)]
pub struct Turn {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_holder: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// So many, one at least.
    #[must_use]
    pub fn new(places: usize) -> Self {
        let places = places.max(1);
        let (all, each) = (Arc::new(Semaphore::new(places)), (places / 2).max(1));
        Self(Arc::new(Places { all, each, holders: Mutex::default() }))
    }

    /// A turn, as soon as it comes. Whoever gives up has left the queue.
    pub async fn take(&self, whose: Holder) -> Turn {
        // None of them is ever closed.
        let of_holder = match whose {
            Some(holder) => self.of(holder).acquire_owned().await.ok(),
            None => None,
        };
        Turn { _of_all: Arc::clone(&self.0.all).acquire_owned().await.ok(), _of_holder: of_holder }
    }

    fn of(&self, holder: u128) -> Arc<Semaphore> {
        // Every change is made whole before anything could panic.
        let mut holders = self.0.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = holders.get(&holder).and_then(Weak::upgrade) {
            return known;
        }
        holders.retain(|_, known| known.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.0.each));
        holders.insert(holder, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The turn, if it comes at once.
    fn now(turn: impl Future<Output = Turn>) -> Option<Turn> {
        match pin!(turn).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_holder_has_half_and_each_has_its_turn() {
        let turns = Turns::new(4);
        let held = [now(turns.take(Some(1))).unwrap(), now(turns.take(Some(1))).unwrap()];
        assert!(now(turns.take(Some(1))).is_none());
        // However many of one wait, another's is next.
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(turns.take(Some(1)))).collect();
        assert!(waiting.iter_mut().all(|turn| now(turn.as_mut()).is_none()));
        let others = [now(turns.take(Some(2))).unwrap(), now(turns.take(Some(3))).unwrap()];
        let mut fourth = Box::pin(turns.take(Some(4)));
        assert!(now(fourth.as_mut()).is_none());
        drop(held);
        let _fourth = now(fourth.as_mut()).expect("before what another has beyond");
        let given: Vec<_> = waiting.iter_mut().filter_map(|turn| now(turn.as_mut())).collect();
        assert_eq!((given.len(), others.len()), (1, 2), "what is left");
    }

    #[test]
    fn of_a_single_place_each_holder_has_its_turn_too() {
        let turns = Turns::new(0);
        let first = now(turns.take(Some(1))).unwrap();
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(turns.take(Some(1)))).collect();
        assert!(waiting.iter_mut().all(|turn| now(turn.as_mut()).is_none()));
        let mut other = Box::pin(turns.take(Some(2)));
        assert!(now(other.as_mut()).is_none());
        drop(first);
        // One of the first holder's went to wait for the place when that was given back; the rest still wait for it.
        let given: Vec<_> = waiting.iter_mut().filter_map(|turn| now(turn.as_mut())).collect();
        assert!(given.is_empty(), "the other holder came first");
        assert!(now(other.as_mut()).is_some());
    }

    #[test]
    fn whoever_gives_up_leaves_nothing_behind() {
        let turns = Turns::new(2);
        let first = now(turns.take(Some(1))).unwrap();
        for _ in 0..100 {
            assert!(now(turns.take(Some(1))).is_none(), "given up");
        }
        drop(first);
        drop(now(turns.take(Some(1))).unwrap());
        drop(now(turns.take(Some(2))).unwrap());
        assert!(turns.0.holders.lock().unwrap().len() <= 1);
        // Without holders all that there is is for all.
        let _all = [now(turns.take(None)).unwrap(), now(turns.take(None)).unwrap()];
        assert!(now(turns.take(None)).is_none());
    }
}
