//! Tasks that nobody waits for.
//!
//! What panics in one is logged by the panic hook, and would else be forgotten: whatever it was to go on doing is not done
//! any more, and nobody is told. So it is counted, and what has to last begins again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::time::Duration;

use opentelemetry::metrics::Counter;
use tokio::time::{Instant, sleep};

use crate::{metrics, names};

static PANICS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::TASK_PANICS));

/// What panics at once again is begun after a pause that grows from this…
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// …to this; whatever has lasted longer begins anew with the first.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Does the work; nothing comes of it if it panics, which is counted under the task's name.
pub async fn guarded<T>(task: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        Err(_panic) => {
            PANICS.add(1, &[metrics::label(names::label::TASK, task)]);
            Poll::Ready(None)
        }
    })
    .await
}

/// Does work that has to last until it ends by itself: whenever it panics, it is begun again.
pub async fn lasting<W: Future<Output = ()>>(task: &'static str, mut begin: impl FnMut() -> W) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        if guarded(task, begin()).await.is_some() {
            return;
        }
        if begun.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        tracing::error!(task, ?pause, "a task has panicked and is begun again");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_panics_is_counted_and_ends_nothing_else() {
        assert_eq!(guarded("well", async { 7 }).await, Some(7));
        let badly = guarded("badly", async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        });
        assert_eq!(badly.await, None::<()>);
        let text = metrics::metrics_text();
        let counted = |task: &str| {
            let line = |line: &&str| line.starts_with("crm_task_panics_total") && line.contains(&format!("\"{task}\""));
            text.lines().find(line).map(|line| line.rsplit(' ').next().unwrap().to_owned())
        };
        assert_eq!((counted("badly").as_deref(), counted("well")), (Some("1"), None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_to_last_is_begun_again_until_it_ends_and_not_in_a_tight_loop() {
        let (start, mut begun) = (Instant::now(), Vec::new());
        lasting("lasting", || {
            begun.push(start.elapsed().as_millis());
            let (number, lasts) = (begun.len(), if begun.len() == 3 { LONGEST_PAUSE * 2 } else { Duration::ZERO });
            async move {
                sleep(lasts).await;
                assert!(number >= 5, "on purpose");
            }
        })
        .await;
        let pauses: Vec<_> = begun.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (pause, expected) in pauses.iter().zip([100, 200, 120_100, 200]) {
            assert!(pause.abs_diff(expected) <= 5, "{pauses:?}");
        }
        assert_eq!(begun.len(), 5);
    }
}
