//! From what was recorded to figures.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::group::GroupMetrics;
use super::load::Record;
use super::moments::Moments;
use super::sampling::{Look, Sample, arrived, fair_again, ratio, share};
use super::toys::{FAULTY, REPLICAS};
use super::writes::WriteMetrics;
use crate::load::{LatencyMs, Outcome, Tally};

/// The figures of one cell. Calls belong to the part of the story in which they were due.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    /// Calls due while it was calm, broken or healing.
    pub calls: u64,
    /// Calls due while the replica was broken, or within two seconds after: as many for everybody, however long it takes
    /// to get well.
    pub calls_while_broken: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Calls that failed still later.
    pub failed_later: u64,
    /// Calls that failed before anything was wrong: none should.
    pub failed_while_calm: u64,
    /// `failed` of `calls_while_broken`.
    pub failed_ratio: f64,
    /// Failed calls by status.
    pub failures: BTreeMap<String, u64>,
    /// Latency of the calls that succeeded while the replica was broken, from the moment each was due.
    pub latency_ms: LatencyMs,
    /// The same while it was calm.
    pub calm_latency_ms: LatencyMs,
    /// The faulty replica's part of all attempts while it was calm.
    pub calm_share: Option<f64>,
    /// The same while it was broken.
    pub faulty_share: Option<f64>,
    /// Seconds after healing until it got its fair share again; `null` if it did not within the time given.
    pub fair_again_s: Option<f64>,
    /// How often our gateway ejected the faulty replica; `null` for peers.
    pub ejections: Option<u64>,
    /// How often it ejected others.
    pub healthy_ejections: Option<u64>,
    /// Seconds until it first ejected the faulty one.
    pub ejected_after_s: Option<f64>,
    /// How much later than due calls were started, 99th percentile: the generator's own fault.
    pub lag_ms_p99: f64,
    /// What a fault of the whole group is judged by; `null` for others.
    pub group: Option<GroupMetrics>,
    /// Calls by method, where some change something; `null` for other faults.
    pub writes: Option<WriteMetrics>,
}

/// A second of a cell's course.
#[derive(Debug, Clone, Copy)]
pub struct Second {
    /// Its beginning; 0 is when the replica broke.
    pub at: f64,
    /// Calls that were due in it and failed.
    pub failed: f64,
    /// 99th percentile of those that succeeded; no number if none did.
    pub p99_ms: f64,
    /// The faulty replica's part of all attempts, per cent; no number if there were none.
    pub share_percent: f64,
}

const CALM: usize = 0;
const BROKEN: usize = 1;
const HEALED: usize = 2;
const LATER: usize = 3;
const PARTS: usize = 4;

/// A fault's calls end this long after it: what it left behind shows by then.
pub(super) const AFTERMATH: Duration = Duration::from_secs(2);

pub(super) fn measure(
    records: &[Record],
    samples: &[Sample],
    looks: &[Look],
    moments: Moments,
    spared: u64,
    fair_part: f64,
) -> Metrics {
    let Moments { calm, broken, healed } = moments;
    let parts = Parts::of(records, moments);
    let [in_calm, in_broken, in_healed, later] = [CALM, BROKEN, HEALED, LATER].map(|part| parts.count(part));
    let calls_while_broken = in_broken.calls + in_healed.calls;
    let failed = in_broken.failed + in_healed.failed;
    Metrics {
        calls: in_calm.calls + calls_while_broken + later.calls,
        calls_while_broken,
        failed,
        failed_later: later.failed,
        failed_while_calm: in_calm.failed,
        failed_ratio: ratio(failed, calls_while_broken),
        failures: parts.0.as_ref().map(|tally| tally.failures.clone()).unwrap_or_default(),
        latency_ms: in_broken.latency_ms,
        calm_latency_ms: in_calm.latency_ms,
        calm_share: share(samples, calm, broken),
        faulty_share: share_while_broken(samples, moments, spared),
        fair_again_s: fair_again(samples, healed, fair_share(samples, moments) * fair_part)
            .map(|after| after.as_secs_f64()),
        ejections: looks.last().map(|look| look.ejections[FAULTY]),
        healthy_ejections: looks.last().map(ejections_of_others),
        ejected_after_s: ejected_after(looks, broken).map(|after| after.as_secs_f64()),
        lag_ms_p99: parts.0.as_ref().map_or(0.0, Tally::lag_ms_p99),
        group: None,
        writes: None,
    }
}

/// The faulty replica's part of the calls, without those which it was spared.
fn share_while_broken(samples: &[Sample], moments: Moments, spared: u64) -> Option<f64> {
    let arrived = arrived(samples, moments.broken, moments.healed)?;
    let all: u64 = arrived.iter().sum();
    (all > 0).then(|| ratio(arrived[FAULTY].saturating_sub(spared), all))
}

/// What the faulty replica is due: what it got before; an equal part, should that have been nothing.
pub(super) fn fair_share(samples: &[Sample], moments: Moments) -> f64 {
    let calm = share(samples, moments.calm, moments.broken).filter(|share| *share > 0.0);
    calm.unwrap_or(1.0 / REPLICAS as f64)
}

/// The calls by the part of the story in which they were due.
struct Parts(Option<Tally>);

/// One part.
struct Part {
    calls: u64,
    failed: u64,
    latency_ms: LatencyMs,
}

impl Parts {
    fn of(records: &[Record], moments: Moments) -> Self {
        let Moments { calm, broken, healed } = moments;
        let part = |due: Duration| match due {
            due if due < broken => CALM,
            due if due < healed => BROKEN,
            due if due < healed + AFTERMATH => HEALED,
            _ => LATER,
        };
        Self(tally(records.iter().filter(|record| record.due >= calm), part))
    }

    fn count(&self, part: usize) -> Part {
        let series = self.0.as_ref().and_then(|tally| tally.per_call.get(part));
        series.map_or(Part { calls: 0, failed: 0, latency_ms: LatencyMs::none() }, |series| Part {
            calls: series.calls,
            failed: series.failed,
            latency_ms: LatencyMs::of(series),
        })
    }
}

fn ejections_of_others(look: &Look) -> u64 {
    look.ejections.iter().sum::<u64>() - look.ejections[FAULTY]
}

/// How long after the fault the faulty one was first seen ejected once more than before.
fn ejected_after(looks: &[Look], broken: Duration) -> Option<Duration> {
    let before = looks.iter().rev().find(|look| look.at <= broken).map_or(0, |look| look.ejections[FAULTY]);
    let first = looks.iter().find(|look| look.at > broken && look.ejections[FAULTY] > before)?;
    Some(first.at - broken)
}

/// The calls in the load generator's own tally, a series for each part; `None` if there is no room for a histogram.
fn tally<'a>(records: impl Iterator<Item = &'a Record>, part: impl Fn(Duration) -> usize) -> Option<Tally> {
    let mut tally = Tally::new(PARTS).ok()?;
    for Record { due, latency, lag, failure, .. } in records {
        tally.count(&Outcome { index: part(*due), latency: *latency, lag: *lag, failure: failure.clone() });
    }
    Some(tally)
}

/// The course of a cell, second by second.
pub(super) fn seconds(records: &[Record], samples: &[Sample], moments: Moments) -> Vec<Second> {
    const SECOND: Duration = Duration::from_secs(1);
    let end = records.iter().map(|record| record.due).max().unwrap_or_default();
    // Seconds are counted from the fault on, backwards too.
    let offset = moments.broken.as_secs_f64().fract();
    let mut from = Duration::from_secs_f64(offset);
    let mut course = Vec::new();
    while from + SECOND <= end {
        if from + SECOND / 2 >= moments.calm {
            course.push(second(records, samples, from, moments.broken));
        }
        from += SECOND;
    }
    course
}

fn second(records: &[Record], samples: &[Sample], from: Duration, zero: Duration) -> Second {
    let to = from + Duration::from_secs(1);
    let due = || records.iter().filter(|record| (from..to).contains(&record.due));
    let whole = tally(due(), |_| CALM);
    let (failed, succeeded) =
        whole.as_ref().map_or((0, 0), |tally| (tally.all.failed, tally.all.calls - tally.all.failed));
    let p99 = whole.as_ref().map_or(f64::NAN, |tally| LatencyMs::of(&tally.all).p99);
    Second {
        at: from.as_secs_f64() - zero.as_secs_f64(),
        failed: ratio(failed, 1),
        p99_ms: if succeeded == 0 { f64::NAN } else { p99 },
        share_percent: share(samples, from, to).map_or(f64::NAN, |share| share * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(at: u64) -> Duration {
        Duration::from_millis(at)
    }

    fn record(due: u64, latency: u64, failure: Option<&str>) -> Record {
        Record { part: 0, due: ms(due), latency: ms(latency), lag: ms(0), failure: failure.map(str::to_owned) }
    }

    const MOMENTS: Moments = Moments {
        calm: Duration::from_millis(1_000),
        broken: Duration::from_millis(3_500),
        healed: Duration::from_millis(5_500),
    };

    #[test]
    fn calls_belong_to_the_part_in_which_they_were_due() {
        let records = [
            record(500, 900, Some("Unavailable")),
            record(2_000, 2, None),
            record(3_400, 800, Some("DeadlineExceeded")),
            record(4_000, 100, None),
            record(4_001, 1_000, Some("DeadlineExceeded")),
            record(6_000, 3, Some("Unavailable")),
            record(7_499, 3, None),
            record(7_500, 3, Some("Unavailable")),
        ];
        let metrics = measure(&records, &[], &[], MOMENTS, 0, 0.8);
        assert_eq!((metrics.calls, metrics.calls_while_broken), (7, 4));
        assert_eq!((metrics.failed, metrics.failed_while_calm, metrics.failed_later), (2, 1, 1));
        assert!((metrics.failed_ratio - 0.5).abs() < 1e-9);
        assert_eq!(metrics.failures["DeadlineExceeded"], 2);
        assert!((metrics.latency_ms.p99 - 100.0).abs() < 1.0 && (metrics.calm_latency_ms.p99 - 2.0).abs() < 0.1);
        assert_eq!((metrics.ejections, metrics.faulty_share), (None, None));
    }

    #[test]
    fn what_arrives_while_the_replica_is_told_to_break_is_no_call_to_a_broken_one() {
        let sample = |at: u64, each: u64, faulty: u64| {
            let mut arrived = [each; REPLICAS];
            arrived[FAULTY] = faulty;
            Sample { at: ms(at), arrived }
        };
        let samples = [sample(3_500, 100, 100), sample(5_500, 200, 120)];
        let share = |spared| share_while_broken(&samples, MOMENTS, spared).unwrap();
        assert!((share(0) - 20.0 / 320.0).abs() < 1e-9 && (share(15) - 5.0 / 320.0).abs() < 1e-9);
    }

    #[test]
    fn ejections_count_from_the_moment_of_the_fault() {
        let look = |at: u64, faulty: u64, other: u64| {
            let mut ejections = [0; REPLICAS];
            (ejections[FAULTY], ejections[0]) = (faulty, other);
            Look { at: ms(at), ejections }
        };
        let looks = [look(3_000, 0, 0), look(3_600, 0, 0), look(3_700, 1, 0), look(9_000, 2, 1)];
        let metrics = measure(&[], &[], &looks, MOMENTS, 0, 0.8);
        assert_eq!((metrics.ejections, metrics.healthy_ejections), (Some(2), Some(1)));
        assert!((metrics.ejected_after_s.unwrap() - 0.2).abs() < 1e-9);
    }

    #[test]
    fn a_course_begins_with_the_calm_and_has_the_fault_at_zero() {
        let records: Vec<Record> = (0..80).map(|n| record(n * 100, 2, (n == 36).then_some("Unavailable"))).collect();
        let course = seconds(&records, &[], MOMENTS);
        assert_eq!(course.first().map(|second| second.at), Some(-3.0));
        let failing: Vec<f64> = course.iter().filter(|second| second.failed > 0.0).map(|second| second.at).collect();
        assert_eq!(failing, [0.0]);
    }
}
