//! Hearing of tenants that have something new.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use uuid::Uuid;

use super::cursors::Cursors;
use super::progress::Progress;
use super::source::Source;
use crate::Store;

/// A source is never silent for so long: something between has died, and it is asked again.
const SILENCE: Duration = Duration::from_secs(45);
/// Between two looks for where to go on, while the database is away.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Who listens, for as long as the process lives.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) store: Store,
    pub(super) cursors: Arc<Cursors>,
    pub(super) source: Source,
    pub(super) progress: Arc<Progress>,
}

impl Listener {
    pub(super) async fn listen_for_ever(self) {
        let mut horizon = self.kept_horizon().await;
        let mut pause = FIRST_PAUSE;
        loop {
            let before = horizon.clone();
            let end = self.listen(&mut horizon).await;
            self.progress.be_deaf();
            pause = if horizon == before { (pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
            if let Err(status) = end {
                self.tell(&status);
                if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) {
                    // Kept by another release, or of a source that was set back: all tenants are asked for.
                    horizon.clear();
                }
            }
            sleep(pause).await;
        }
    }

    /// Up to where this or another replica has followed.
    async fn kept_horizon(&self) -> String {
        loop {
            match self.cursors.horizon(&self.store).await {
                Ok(horizon) => return horizon,
                Err(error) => {
                    tracing::warn!(follower = self.progress.follower.name, %error, "where to go on cannot be read yet");
                    sleep(BETWEEN_LOOKS).await;
                }
            }
        }
    }

    /// Until the stream ends.
    async fn listen(&self, horizon: &mut String) -> Result<(), Status> {
        let silent = || Status::unavailable("the source is silent");
        let open = timeout(SILENCE, self.source.tenants(horizon.clone()));
        let mut stream = open.await.map_err(|_| silent())??;
        while let Some(message) = timeout(SILENCE, stream.message()).await.map_err(|_| silent())?? {
            horizon.clone_from(&message.horizon);
            let tenants = message.tenants.iter().filter_map(|tenant| Uuid::parse_str(tenant).ok());
            self.progress.hear(tenants, message.horizon);
        }
        Ok(())
    }

    fn tell(&self, status: &Status) {
        // A stream's time is bounded.
        if status.code() != Code::DeadlineExceeded {
            let (follower, source) = (self.progress.follower.name, self.progress.follower.source.name);
            tracing::warn!(follower, source, code = %status.code(), "the source cannot be heard; trying again");
        }
    }
}
