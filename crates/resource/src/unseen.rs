//! Work that leaves no spans.

use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

/// What looks every second or two whether there is something to do, for nobody in particular, would be a trace of its own
/// each time. Metrics count it all the same.
pub(crate) async fn unseen<T>(work: impl Future<Output = T>) -> T {
    work.with_subscriber(Dispatch::none()).await
}
