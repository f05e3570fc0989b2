//! How many platforms run at a time: each is ten processes and more, and more of them than cores would measure each other.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

static SEATS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(seats())));

fn seats() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Held for as long as a platform runs.
pub(crate) type Turn = OwnedSemaphorePermit;

/// Waits until there is a core for one more platform.
pub(crate) async fn take_turn() -> Turn {
    take(1).await
}

/// Waits until no other platform runs, and keeps others from starting.
pub(crate) async fn take_turn_alone() -> Turn {
    take(seats()).await
}

async fn take(seats: usize) -> Turn {
    Arc::clone(&SEATS).acquire_many_owned(seats.try_into().unwrap()).await.unwrap()
}
