//! Asks the trace viewer every few seconds which calls were slow and which failed.

mod document;

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use self::document::Found;
use crate::{
    config::Link,
    outbound::{Outbound, OutboundError},
    room::{Call, RecentCalls, Room},
};

const EVERY: Duration = Duration::from_secs(3);
/// Traces that one question brings at most.
const ASKED: usize = 20;
/// What "just now" means.
const SLOW_LOOKBACK: &str = "30s";
const FAILED_LOOKBACK: &str = "2m";

pub(crate) async fn watch(outbound: Outbound, viewer: Link, room: Room) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let least_ms = slow_from(room.look().upstreams.iter().map(|upstream| upstream.calls.p99_ms));
        let answer = ask(&outbound, &viewer, least_ms).await;
        room.viewer_answered(answer);
    }
}

/// The slowest are asked for by a least duration, for the viewer answers with the newest: the recent p99 leaves few enough.
/// An upstream without calls has none.
fn slow_from(p99s_ms: impl Iterator<Item = f64>) -> f64 {
    p99s_ms.filter(|p99_ms| *p99_ms > 0.0).fold(f64::INFINITY, f64::min).clamp(0.1, 10_000.0) * 0.7
}

async fn ask(outbound: &Outbound, viewer: &Link, least_ms: f64) -> Result<RecentCalls, OutboundError> {
    // A hundred microseconds are the least that is asked for, so that rounding leaves a duration.
    let least_us = (least_ms * 1e3).round();
    let base = format!("/api/traces?service=gateway&spanKind=server&limit={ASKED}");
    let slow = viewer.to(&format!("{base}&lookback={SLOW_LOOKBACK}&minDuration={least_us}us"));
    // {"error":"true"}; not only spans of the server kind, so that attempts which a retry made good are found, too.
    let failed = viewer.to(&format!(
        "/api/traces?service=gateway&limit={ASKED}&lookback={FAILED_LOOKBACK}&tags=%7B%22error%22%3A%22true%22%7D"
    ));
    let (slow, failed) = tokio::join!(outbound.get::<Found>(&slow), outbound.get::<Found>(&failed));
    let (mut slow, mut failed) = (slow?.calls(), failed?.calls());
    slow.sort_by(|a, b| b.took_ms.total_cmp(&a.took_ms));
    failed.sort_by_key(|call: &Call| std::cmp::Reverse(call.started_us));
    Ok(RecentCalls { slow, failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_what_is_slow_for_an_upstream_that_has_calls() {
        let from = |p99s_ms: &[f64]| slow_from(p99s_ms.iter().copied());
        assert_eq!([from(&[100.0, 0.0]), from(&[100.0, 50.0]), from(&[f64::NAN, 100.0])], [70.0, 35.0, 70.0]);
        assert_eq!([from(&[]), from(&[0.0]), from(&[0.01])], [7_000.0, 7_000.0, 0.1 * 0.7]);
    }
}
