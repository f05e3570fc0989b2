//! Bounds of the queue of finished spans.

use std::time::Duration;

use super::environment::Environment;

/// Bounds of the queue, under OpenTelemetry's variable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batching {
    /// `OTEL_BSP_MAX_QUEUE_SIZE`: about a second of spans at 2,000 calls a second.
    pub(crate) queue: usize,
    /// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
    pub(crate) batch: usize,
    /// `OTEL_BSP_SCHEDULE_DELAY`: a trace is visible this long after its last span, plus the way to the collector.
    pub(crate) delay: Duration,
    /// `OTEL_BSP_EXPORT_TIMEOUT`: how long one batch may take, its retry included; `None` without a limit.
    pub(crate) timeout: Option<Duration>,
}

impl Default for Batching {
    fn default() -> Self {
        let (delay, timeout) = (Duration::from_millis(200), Some(Duration::from_secs(30)));
        Self { queue: 8192, batch: 512, delay, timeout }
    }
}

impl Batching {
    pub(super) fn read(env: &mut Environment) -> Self {
        let default = Self::default();
        let size = |number: Option<u64>, default| {
            number.map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        let queue = size(env.number(&["OTEL_BSP_MAX_QUEUE_SIZE"], 1, "8192 is used"), default.queue);
        let batch = size(env.number(&[BATCH], 1, "512 is used"), default.batch);
        if batch > queue && batch != default.batch {
            env.refuse(
                BATCH,
                Some(&batch.to_string()),
                format!("the queue holds no more than {queue}: so many are used"),
            );
        }
        let delay = env.number(&["OTEL_BSP_SCHEDULE_DELAY"], 0, "200 ms are used");
        let timeout = env.number(&["OTEL_BSP_EXPORT_TIMEOUT"], 0, "30,000 ms are used");
        Self {
            queue,
            batch: batch.min(queue),
            delay: delay.map_or(default.delay, Duration::from_millis).min(LONGEST),
            timeout: timeout
                .map_or(default.timeout, |number| Some(Duration::from_millis(number)).filter(|_| number > 0)),
        }
    }
}

const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
/// Clocks cannot count much further.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
