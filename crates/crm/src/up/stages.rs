//! The order of stopping: whoever needs others goes before them.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// First to last. Load stops before the gateway refuses it; services finish their calls while the stores still serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Load,
    Gateways,
    Services,
    Viewer,
    Stores,
}

const ORDER: [Stage; 5] = [Stage::Load, Stage::Gateways, Stage::Services, Stage::Viewer, Stage::Stores];

/// The tasks of each stage, and how to end them.
#[derive(Debug, Default)]
pub(super) struct Stages {
    tasks: [JoinSet<()>; ORDER.len()],
    stops: [CancellationToken; ORDER.len()],
}

impl Stages {
    /// What ends the tasks of this stage.
    pub(super) fn stop(&self, stage: Stage) -> CancellationToken {
        self.stops[stage as usize].clone()
    }

    /// Runs a task that ends after the stage's stop has been cancelled.
    pub(super) fn spawn(&mut self, stage: Stage, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks[stage as usize].spawn(task);
    }

    /// Ends one stage after the other.
    pub(super) async fn shut_down(mut self) {
        for stage in ORDER {
            self.stops[stage as usize].cancel();
            while self.tasks[stage as usize].join_next().await.is_some() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_stage_ends_only_after_the_ones_before_it() {
        let mut stages = Stages::default();
        let ended = Arc::new(Mutex::new(Vec::new()));
        for stage in [Stage::Stores, Stage::Viewer, Stage::Load, Stage::Services, Stage::Gateways] {
            let (stop, ended) = (stages.stop(stage), Arc::clone(&ended));
            stages.spawn(stage, async move {
                stop.cancelled().await;
                tokio::task::yield_now().await;
                ended.lock().push(stage);
            });
        }
        stages.shut_down().await;
        assert_eq!(*ended.lock(), ORDER);
    }
}
