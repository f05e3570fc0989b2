//! Whom a scrape asks.

use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

/// Owners of state that scrapes ask for, each as long as it lives.
///
/// The instruments are made once a process: one made for each owner would go on observing after its end, and owners of one
/// name would overwrite each other's values.
pub struct Owners<T: ?Sized> {
    register: fn(),
    registered: Once,
    known: Mutex<Vec<Weak<T>>>,
}

impl<T: ?Sized> Owners<T> {
    /// None yet. `register` makes the instruments, which ask [`living`](Self::living), when the first one is added.
    pub const fn new(register: fn()) -> Self {
        Self { register, registered: Once::new(), known: Mutex::new(Vec::new()) }
    }

    /// Lets scrapes see one more.
    pub fn add(&self, owner: Weak<T>) {
        // Not under the lock of the list, which a scrape that is under way waits for.
        self.registered.call_once(self.register);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.strong_count() > 0);
        known.push(owner);
    }

    /// All that there are now.
    pub fn living(&self) -> Vec<Arc<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static REGISTERED: AtomicUsize = AtomicUsize::new(0);
    static OWNERS: Owners<u32> = Owners::new(|| {
        REGISTERED.fetch_add(1, Ordering::Relaxed);
    });

    #[test]
    fn instruments_are_made_once_and_see_who_lives() {
        let living = || OWNERS.living().iter().map(|owner| **owner).collect::<Vec<_>>();
        assert_eq!((living(), REGISTERED.load(Ordering::Relaxed)), (vec![], 0));
        let (one, other) = (Arc::new(1), Arc::new(2));
        OWNERS.add(Arc::downgrade(&one));
        OWNERS.add(Arc::downgrade(&other));
        assert_eq!(living(), [1, 2]);
        drop(one);
        assert_eq!((living(), REGISTERED.load(Ordering::Relaxed)), (vec![2], 1));
    }
}
