use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or SIGINT. Must be called inside a Tokio runtime.
///
/// Signals are caught from this call on, so make it before anything that must be undone in order.
pub fn shutdown_signal() -> CancellationToken {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let token = token.clone();
        match signal(kind) {
            Ok(mut signals) => {
                tokio::spawn(async move {
                    signals.recv().await;
                    tracing::info!(signal = kind.as_raw_value(), "asked to stop");
                    token.cancel();
                });
            }
            // The process then dies of the signal at once, as if it had never asked for it.
            Err(error) => tracing::warn!(%error, "a signal cannot be caught"),
        }
    }
    token
}
