//! Which tasks have a transaction open: what waits for another process must not hold locks and a connection meanwhile.
//!
//! A call of a service is one task from its first byte to its last, and so is whatever works without a caller. So the task
//! tells what no signature does: whether a transaction lies in some variable of whoever is about to wait.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::task::{Id, try_id};

static OPEN: LazyLock<Mutex<HashMap<Id, usize>>> = LazyLock::new(Mutex::default);

/// A transaction of the task that made this, until it is dropped, wherever that is.
#[derive(Debug)]
pub(crate) struct Open(Option<Id>);

impl Open {
    pub(crate) fn here() -> Self {
        let task = try_id();
        if let Some(task) = task {
            *lock().entry(task).or_default() += 1;
        }
        Self(task)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(task) = self.0 else { return };
        let mut open = lock();
        let left = open.get(&task).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&task);
        } else {
            open.insert(task, left);
        }
    }
}

/// Whether the task that asks has begun a transaction that has not ended. Outside of tasks nobody knows, and it says no.
#[must_use]
pub fn has_open_transaction() -> bool {
    try_id().is_some_and(|task| lock().contains_key(&task))
}

fn lock() -> MutexGuard<'static, HashMap<Id, usize>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_has_what_it_began_until_that_ends_wherever_it_ends() {
        tokio::spawn(async {
            assert!(!has_open_transaction());
            let (one, other) = (Open::here(), Open::here());
            assert!(has_open_transaction());
            drop(one);
            assert!(has_open_transaction());
            // As a commit does, which is a task of its own.
            let ended = tokio::spawn(async move {
                assert!(!has_open_transaction());
                drop(other);
            });
            ended.await.unwrap();
            assert!(!has_open_transaction());
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn other_tasks_are_not_concerned() {
        let open = tokio::spawn(async { Open::here() }).await.unwrap();
        let sees = tokio::spawn(async { has_open_transaction() }).await.unwrap();
        assert!(!sees && !has_open_transaction());
        drop(open);
    }
}
