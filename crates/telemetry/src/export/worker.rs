use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use super::queue::Queue;
use crate::settings::Batching;

/// What the processor wants done now, and whom to tell when it is.
#[derive(Debug)]
pub(super) enum Command {
    Flush(SyncSender<OTelSdkResult>),
    Stop(SyncSender<OTelSdkResult>),
}

/// Sends batches, one at a time. Asleep while there is nothing to send.
pub(super) struct Worker<E> {
    exporter: E,
    queue: Arc<Queue>,
    settings: Batching,
}

impl<E: SpanExporter> Worker<E> {
    pub(super) fn new(exporter: E, queue: Arc<Queue>, settings: Batching) -> Self {
        Self { exporter, queue, settings }
    }

    pub(super) async fn run(self, mut commands: UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                () = self.batch_is_due() => {
                    let _ = self.send_all().await;
                }
                command = commands.recv() => match command {
                    // Whoever waits may have given up, which is no concern of ours.
                    Some(Command::Flush(done)) => { let _ = done.send(self.send_all().await); }
                    Some(Command::Stop(done)) => {
                        let result = self.send_all().await;
                        self.queue.give_up();
                        let _ = self.exporter.shutdown();
                        let _ = done.send(result);
                        return;
                    }
                    None => return,
                },
            }
        }
    }

    /// Ready when the first span has waited for the delay, or a batch is full before.
    async fn batch_is_due(&self) {
        // After a failure some are left, and no further notice is given of them.
        if self.queue.is_empty() {
            self.queue.begun.notified().await;
        }
        tokio::select! {
            () = sleep(self.settings.delay) => (),
            () = self.queue.filled.notified() => (),
        }
    }

    /// Sends what waits. After a failure the rest is left: a dead collector must not hold up the end of the process.
    async fn send_all(&self) -> OTelSdkResult {
        loop {
            let batch = self.queue.take();
            if batch.is_empty() {
                return Ok(());
            }
            let spans = batch.len();
            let result = self.send(batch).await;
            self.queue.note(spans, &result);
            result?;
        }
    }

    async fn send(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sending = self.exporter.export(batch);
        match self.settings.timeout {
            Some(limit) => timeout(limit, sending).await.unwrap_or(Err(OTelSdkError::Timeout(limit))),
            None => sending.await,
        }
    }
}
