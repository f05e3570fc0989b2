//! A tour that somebody plays: since when what it shows counts, and the call whose trace it leads to.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Call, RecentCalls};
use crate::tour::{Action, Find, Tour};

/// What is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Begun {
    /// In seconds since the console's start.
    pub(crate) since: f64,
    /// Kept for as long as it may be read, though the trace viewer's answers go on to other calls.
    pub(crate) call: Option<Call>,
    since_us: u64,
    find: Find,
    replica: Option<String>,
    is_over: bool,
}

impl Begun {
    /// `ago` is how many seconds before this moment it began, and `now` this moment.
    pub(super) fn new(tour: &Tour, now: f64, ago: f64) -> Self {
        Self {
            since: now - ago,
            call: None,
            since_us: now_us().saturating_sub(micros(ago)),
            find: tour.read.find,
            replica: breaks_replica(tour).then(|| tour.replica.to_string()),
            is_over: false,
        }
    }

    /// What it showed is not to be found by the next one who plays it; its trace can still be read.
    pub(super) fn end(&mut self, now: f64) {
        self.since = now;
        self.is_over = true;
    }

    /// Takes the slowest call that is its own, or the first that failed.
    pub(super) fn look_among(&mut self, calls: &RecentCalls) {
        if self.is_over {
            return;
        }
        let found = calls.of(self.find).iter().find(|call| self.is_own(call));
        let is_better = |call: &Call| match (&self.call, self.find) {
            (None, _) => true,
            (Some(known), Find::Slowest) => call.took_ms > known.took_ms,
            (Some(_), Find::Failed) => false,
        };
        if let Some(call) = found.filter(|call| is_better(call)) {
            self.call = Some(call.clone());
        }
    }

    /// Whether the call came after the break and met what was broken: another tour's calls did not.
    fn is_own(&self, call: &Call) -> bool {
        let must_fail = self.find == Find::Failed;
        let met =
            |replica: &String| call.tried.iter().any(|(tried, failed)| tried == replica && (*failed || !must_fail));
        call.started_us >= self.since_us && self.replica.as_ref().is_none_or(met)
    }
}

/// A change of the policy alone concerns every replica.
fn breaks_replica(tour: &Tour) -> bool {
    tour.breaking.actions.iter().any(|action| matches!(action, Action::Fault(_) | Action::Command(_)))
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a minute or so, never less than nothing")]
fn micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6) as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tour::find;

    /// At so many seconds after the tours below have begun.
    fn call(trace: &str, took_ms: f64, tried: &[(&str, bool)], after_s: i64) -> Call {
        Call {
            trace: trace.to_owned(),
            name: String::new(),
            took_ms,
            status: "OK".to_owned(),
            tried: tried.iter().map(|(replica, failed)| ((*replica).to_owned(), *failed)).collect(),
            started_us: now_us().saturating_add_signed(after_s * 1_000_000),
        }
    }

    fn check(tour: &str, answers: &[Vec<Call>], trace: Option<&str>) {
        let mut begun = Begun::new(find(tour).unwrap(), 100.0, 0.0);
        for calls in answers {
            begun.look_among(&RecentCalls { slow: calls.clone(), failed: calls.clone() });
        }
        assert_eq!(begun.call.map(|call| call.trace).as_deref(), trace, "{tour}: {answers:?}");
    }

    #[test]
    fn a_tour_reads_its_own_calls_alone() {
        let before = call("before", 900.0, &[("0", true), ("1", true)], -5);
        let failed_at_0 = call("at-0", 10.0, &[("0", true), ("1", false)], 5);
        let failed_at_1 = call("at-1", 20.0, &[("1", true), ("0", false)], 5);
        let all = vec![before, failed_at_1, failed_at_0];
        check("killed-replica", std::slice::from_ref(&all), Some("at-0"));
        check("failing-replica", std::slice::from_ref(&all), Some("at-1"));
        check("policy-change", std::slice::from_ref(&all), Some("at-1"));
        check("slow-replica", &[vec![call("elsewhere", 50.0, &[("1", false)], 5)]], None);
        check("killed-replica", &[vec![call("at-0, well", 50.0, &[("0", false)], 5)]], None);
        check("killed-replica", &[all[..2].to_vec()], None);
    }

    #[test]
    fn what_was_found_stays_and_only_the_slowest_gives_way() {
        let at_0 = |trace, took_ms| vec![call(trace, took_ms, &[("0", true)], 5)];
        let answers = [at_0("first", 100.0), Vec::new(), at_0("slower", 200.0), at_0("quicker", 50.0)];
        check("slow-replica", &answers, Some("slower"));
        check("killed-replica", &answers, Some("first"));
    }
}
