//! Draws the parts of the page once for all who watch, and not at all while nobody does.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Link,
    page::{Part, parts},
    room::Room,
};

const EVERY: Duration = Duration::from_millis(500);

/// All parts at one moment.
pub(crate) type Frame = Arc<Vec<Part>>;

/// The newest frame, for whoever wants it. Who is slow misses frames; none are kept for him.
#[derive(Debug, Clone)]
pub(crate) struct Painter {
    frames: watch::Sender<Frame>,
    wanted: Arc<Notify>,
}

impl Painter {
    pub(crate) fn start(room: Room, traces: Option<Link>, stopping: CancellationToken) -> Self {
        let painter = Self { frames: watch::Sender::new(Arc::default()), wanted: Arc::default() };
        let painting = painter.clone().paint(room, traces);
        tokio::spawn(async move { stopping.run_until_cancelled(painting).await });
        painter
    }

    /// Frames from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Frame> {
        let frames = self.frames.subscribe();
        self.wanted.notify_one();
        frames
    }

    async fn paint(self, room: Room, traces: Option<Link>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while self.frames.receiver_count() == 0 {
                self.wanted.notified().await;
            }
            ticks.tick().await;
            let frame = parts(&room.look(), traces.as_ref());
            self.frames.send_replace(Arc::new(frame));
        }
    }
}
