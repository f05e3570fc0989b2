//! Work that leaves no spans.

use std::sync::LazyLock;

use tracing::Dispatch;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// One that is known to `tracing` beside the process's own. As long as that is the only one, what a place in the code is
/// worth is asked of whoever is current when it is first come to, and kept: by `Dispatch::none()`, that nobody ever wants
/// to see it.
static NOBODY: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// What looks every second or two whether there is something to do, for nobody in particular, would be a trace of its own
/// each time. Metrics count it all the same.
pub(crate) async fn unseen<T>(work: impl Future<Output = T>) -> T {
    work.with_subscriber(NOBODY.clone()).await
}
