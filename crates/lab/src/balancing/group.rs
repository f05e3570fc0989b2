//! Figures by which a fault of the whole group is judged.

use std::time::Duration;

use serde::Serialize;

use super::load::Record;
use super::moments::Moments;
use super::proxy::durations::Durations;
use super::sampling::{Sample, arrived, ratio};

/// Calls under way when the replicas broke have ended by then, as far as they could.
pub(super) const KILL_SETTLED: Duration = Duration::from_millis(100);

/// The figures of a cell whose fault hit all replicas.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GroupMetrics {
    /// 99th percentile in our gateway's own histogram of the calls that ended while all replicas were away: the upper
    /// bound of its bucket. `null` for peers, and under other faults.
    pub refusal_in_gateway_ms_p99: Option<f64>,
    /// 99th percentile, at the caller, of the calls that failed, due from 100 ms after the fault to healing.
    pub refusal_at_caller_ms_p99: Option<f64>,
    /// Calls that arrived at the toys while they were broken, for each that was made.
    pub attempts_per_call: Option<f64>,
    /// Calls a second that succeeded within their deadline, by their end, while it was broken.
    pub goodput: f64,
    /// Failed part of the calls due once all had to be as before; `null` if there were none.
    pub failed_ratio_after: Option<f64>,
    /// 99th percentile of those that succeeded.
    pub p99_ms_after: Option<f64>,
}

/// The gateway's own figures when the fault had settled, and just before it was healed.
pub(super) type Refusals = Option<(Durations, Durations)>;

pub(super) fn measure(
    records: &[Record],
    samples: &[Sample],
    moments: Moments,
    recovery: Duration,
    refusals: &Refusals,
) -> GroupMetrics {
    let Moments { broken, healed, .. } = moments;
    let (settled, recovered) = (broken + KILL_SETTLED, healed + recovery);
    let refused = records.iter().filter(|it| it.failure.is_some() && (settled..healed).contains(&it.due));
    let after = || records.iter().filter(|it| it.due >= recovered);
    let (served, failed): (Vec<&Record>, Vec<&Record>) = after().partition(|it| it.failure.is_none());
    GroupMetrics {
        refusal_in_gateway_ms_p99: refusals.as_ref().and_then(|(from, to)| to.p99_ms_since(from)),
        refusal_at_caller_ms_p99: p99_ms(refused),
        attempts_per_call: attempts_per_call(records, samples, moments),
        goodput: goodput(records, moments),
        failed_ratio_after: (after().count() > 0).then(|| ratio(count(failed.len()), count(after().count()))),
        p99_ms_after: p99_ms(served.into_iter()),
    }
}

fn attempts_per_call(records: &[Record], samples: &[Sample], moments: Moments) -> Option<f64> {
    let Moments { broken, healed, .. } = moments;
    let attempts = arrived(samples, broken, healed)?.iter().sum();
    let calls = records.iter().filter(|it| (broken..healed).contains(&it.due)).count();
    (calls > 0).then(|| ratio(attempts, count(calls)))
}

/// What is done in this time is counted at its end: work that was begun before and not ended in it is none.
fn goodput(records: &[Record], moments: Moments) -> f64 {
    let Moments { broken, healed, .. } = moments;
    let served = records.iter().filter(|it| it.failure.is_none() && (broken..healed).contains(&(it.due + it.latency)));
    ratio(count(served.count()), 1) / (healed - broken).as_secs_f64().max(f64::EPSILON)
}

fn p99_ms<'a>(records: impl Iterator<Item = &'a Record>) -> Option<f64> {
    let mut latencies: Vec<Duration> = records.map(|record| record.latency).collect();
    latencies.sort_unstable();
    let rank = (latencies.len() * 99).div_ceil(100).checked_sub(1)?;
    latencies.get(rank).map(|latency| latency.as_secs_f64() * 1e3)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancing::toys::REPLICAS;

    const MOMENTS: Moments =
        Moments { calm: Duration::from_secs(1), broken: Duration::from_secs(5), healed: Duration::from_secs(15) };

    fn record(due_ms: u64, latency_ms: u64, failure: Option<&str>) -> Record {
        let ms = Duration::from_millis;
        Record { part: 0, due: ms(due_ms), latency: ms(latency_ms), lag: ms(0), failure: failure.map(str::to_owned) }
    }

    fn of(records: &[Record], samples: &[Sample]) -> GroupMetrics {
        measure(records, samples, MOMENTS, Duration::from_secs(3), &None)
    }

    #[test]
    fn refusals_count_once_the_kill_has_settled_and_until_healing() {
        let records = [
            record(5_050, 400, Some("Unavailable")),
            record(5_100, 3, Some("Unavailable")),
            record(9_000, 70, None),
            record(14_999, 8, Some("Unavailable")),
            record(15_000, 900, Some("Unavailable")),
        ];
        assert_eq!(of(&records, &[]).refusal_at_caller_ms_p99, Some(8.0));
        assert_eq!(of(&records[..1], &[]).refusal_at_caller_ms_p99, None);
    }

    #[test]
    fn attempts_are_what_arrived_at_the_toys_while_they_were_broken() {
        let at = |seconds: u64, each: u64| Sample { at: Duration::from_secs(seconds), arrived: [each; REPLICAS] };
        let samples = [at(4, 10), at(5, 20), at(15, 50), at(16, 900)];
        let records: Vec<Record> = (0..100).map(|n| record(5_000 + n * 100, 1, Some("Unavailable"))).collect();
        assert_eq!(of(&records, &samples).attempts_per_call, Some(1.2));
        assert_eq!(of(&[], &samples).attempts_per_call, None);
    }

    #[test]
    fn goodput_is_what_ended_well_in_the_time_of_the_fault() {
        let ended_well = [record(4_999, 1, None), record(6_000, 900, None)];
        let others =
            [record(4_000, 999, None), record(14_990, 10, None), record(7_000, 1_000, Some("DeadlineExceeded"))];
        let goodput = of(&[&ended_well[..], &others[..]].concat(), &[]).goodput;
        assert!((goodput - 0.2).abs() < 1e-9, "{goodput}");
    }

    #[test]
    fn afterwards_begins_when_all_has_to_be_as_before() {
        let records = [
            record(17_999, 900, Some("Unavailable")),
            record(18_000, 40, None),
            record(18_500, 50, None),
            record(19_000, 60, Some("Unavailable")),
            record(19_500, 45, None),
        ];
        let metrics = of(&records, &[]);
        assert_eq!((metrics.failed_ratio_after, metrics.p99_ms_after), (Some(0.25), Some(50.0)));
        assert_eq!(of(&records[..1], &[]).failed_ratio_after, None);
    }
}
