//! Whether what a tour expects is to be seen.

use crm_chart::short;

use super::{Expect, Metric, Tour};
use crate::room::{History, Scene};

/// Failures are looked for over this long, and states, in seconds: about as long as a tour is watched. What was before
/// it was begun, or healed the last time, is not looked at.
const LOOK_BACK: f64 = 60.0;

/// Fewer calls than this show no part of them that fails.
const FEW: f64 = 10.0;

/// What is expected, and what there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is expected, in words.
    pub say: String,
    /// Whether it is so.
    pub held: bool,
    /// What is, in a few words: `now 3 %`.
    pub actual: String,
}

/// Looks at everything that the tour expects.
pub(crate) fn check(tour: &Tour, scene: &Scene) -> Vec<Verdict> {
    tour.watch.expect.iter().map(|expect| judge(expect, tour, scene)).collect()
}

fn judge(expect: &Expect, tour: &Tour, scene: &Scene) -> Verdict {
    // The last picture stays while no gateway answers; it proves nothing.
    let history = scene.histories.get(&tour.upstream).filter(|_| scene.is_live());
    let seen = history.and_then(|history| look(expect, tour, scene, history));
    let (held, actual) = seen.unwrap_or_else(|| (false, "nothing to see yet".to_owned()));
    Verdict { say: expect.say.clone(), held, actual }
}

fn look(expect: &Expect, tour: &Tour, scene: &Scene, history: &History) -> Option<(bool, String)> {
    let now = scene.now;
    let since = scene.tours.get(&tour.name).map_or(0.0, |begun| begun.since).max(now - LOOK_BACK);
    match expect.metric {
        Metric::Share => Some(bounded(expect, history.share(now, tour.replica), percent)),
        Metric::Failed => Some(bounded(expect, failed(history, since), percent)),
        Metric::P99Ms => {
            Some(bounded(expect, scene.upstream(&tour.upstream)?.calls.p99_ms, |ms| format!("{} ms", short(ms))))
        }
        Metric::State => {
            let wanted = expect.was?;
            let dots = || history.since(since).filter_map(|sample| sample.replica(tour.replica));
            let current = dots().last()?.state;
            Some((dots().any(|dot| dot.state == wanted), format!("now {}", current.name())))
        }
        Metric::Policy => {
            let current = scene.upstream(&tour.upstream)?.policy;
            Some((expect.policy == Some(current), format!("now {current}")))
        }
    }
}

fn bounded(expect: &Expect, value: f64, words: impl Fn(f64) -> String) -> (bool, String) {
    let held = expect.below.is_none_or(|limit| value < limit) && expect.above.is_none_or(|limit| value > limit);
    let actual = if value.is_finite() { format!("now {}", words(value)) } else { "too few calls yet".to_owned() };
    (held && value.is_finite(), actual)
}

fn percent(part: f64) -> String {
    format!("{} %", short(part * 100.0))
}

/// The part of calls that failed since a moment.
#[allow(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^53")]
fn failed(history: &History, since: f64) -> f64 {
    // What was known before: the first failures come within half a second of the fault.
    let first = history.at(since).or_else(|| history.since(since).next());
    let (Some(first), Some(last)) = (first, history.latest()) else { return f64::NAN };
    let failed = last.failed.saturating_sub(first.failed) as f64;
    let all = failed + last.ok.saturating_sub(first.ok) as f64;
    if all >= FEW { failed / all } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use crm_balance::Phase;

    use crate::control::document;
    use crate::room::Room;

    fn has_been_ejected(room: &Room) -> bool {
        let tour = super::super::find("failing-replica").unwrap();
        let mut verdicts = super::check(tour, &room.look()).into_iter();
        verdicts.any(|verdict| verdict.say.contains("ejected") && verdict.held)
    }

    #[test]
    fn a_tour_that_is_repeated_does_not_find_what_it_showed_before() {
        let room = Room::new(vec!["gateway".to_owned()], None);
        let sample = |state| {
            // The replica of this ordinal is the one that the tour plays with.
            let mut document = document("a:1", state, 10.0);
            document.upstreams[0].replicas[0].seen.ordinal = 1;
            room.sampled(vec![Ok(document)]);
        };
        sample(Phase::Ejected);
        sample(Phase::Ready);
        assert!(has_been_ejected(&room), "it is over, but it was");
        room.tour_counts_from_now(super::super::find("failing-replica").unwrap());
        sample(Phase::Ready);
        assert!(!has_been_ejected(&room), "that was the last time");
        sample(Phase::Ejected);
        assert!(has_been_ejected(&room));
    }
}
