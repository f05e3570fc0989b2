//! Looks at every gateway about twice a second.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::{control::Controls, room::Room};

const EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn watch(controls: Controls, room: Room) {
    let mut ticks = interval(EVERY);
    // A gateway that answers late makes samples rarer, never a burst of them.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        room.sampled(controls.documents().await);
    }
}
