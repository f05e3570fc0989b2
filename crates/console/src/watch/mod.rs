//! Tasks that keep the room up to date. Each goes on whatever happens to those it watches.

mod events;
mod lines;
mod sampler;
mod traces;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Config, control::Controls, outbound::Outbound, room::Room};

/// Starts watching; ends with `stopping`.
pub(crate) fn start(
    config: &Config,
    controls: &Controls,
    outbound: &Outbound,
    room: &Room,
    stopping: &CancellationToken,
) {
    let tasks = TaskTracker::new();
    let until = |task: futures_util::future::BoxFuture<'static, ()>| {
        tasks.spawn(stopping.clone().run_until_cancelled_owned(task));
    };
    until(Box::pin(sampler::watch(controls.clone(), room.clone())));
    let several = config.controls.len() > 1;
    for link in config.controls.clone() {
        until(Box::pin(events::watch(outbound.clone(), link, several, room.clone())));
    }
    if let Some(viewer) = config.viewer.clone() {
        until(Box::pin(traces::watch(outbound.clone(), viewer, room.clone())));
    }
}
