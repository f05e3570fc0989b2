//! What our gateway claims under each fault: figures and their limits.

use super::fault_scenario::FaultScenario;
use super::group::GroupMetrics;
use super::metrics::Metrics;
use super::plan::Plan;
use super::toys::CAPACITY;
use super::writes::WriteMetrics;

/// Calls that may fail under the default policy.
const FAILED_PERCENT: f64 = 0.1;
/// A slow replica may get this part of the attempts.
const SLOW_SHARE_PERCENT: f64 = 0.3;
/// The 99th percentile may rise by this factor.
const P99_FACTOR: f64 = 1.5;
/// A replica that fails at once may cost this many calls in all.
const FAILURES_AT_ONCE: f64 = 10.0;
const EJECTED_AT_ONCE_S: f64 = 1.0;
const EJECTED_AT_30_PERCENT_S: f64 = 10.0;
const FAIR_AGAIN_S: f64 = 30.0;
const BACK_AGAIN_S: f64 = 5.0;
const FAILED_CREATES: f64 = 1.0;
const REFUSAL_MS: f64 = 10.0;
const FAILED_AFTER_RETURN_PERCENT: f64 = 1.0;
/// What may be missing of the goodput that the upstreams' slots allow.
const LOST_GOODPUT_PERCENT: f64 = 10.0;

/// A figure of a cell; none, if it never came to be.
pub(super) type Figure = fn(&Metrics) -> Option<f64>;

/// What a figure is, with its unit, and the most that it may be.
pub(super) struct Claim {
    pub(super) what: &'static str,
    pub(super) limit: f64,
    pub(super) figure: Figure,
}

const fn claim(what: &'static str, limit: f64, figure: Figure) -> Claim {
    Claim { what, limit, figure }
}

pub(super) fn claims(fault: FaultScenario, plan: &Plan) -> Vec<Claim> {
    match fault {
        FaultScenario::None => vec![
            claim("failed calls", 0.0, |metrics| Some(as_f64(failures(metrics) + metrics.failed_while_calm))),
            claim("ejections", 0.0, all_ejections),
        ],
        FaultScenario::Slow => vec![
            claim("failed, %", FAILED_PERCENT, failed_percent),
            claim("share of the slow replica, %", SLOW_SHARE_PERCENT, |metrics| Some(metrics.faulty_share? * 100.0)),
            claim("p99 as a multiple of the healthy one", P99_FACTOR, |metrics| {
                p99_factor(metrics, metrics.latency_ms.p99)
            }),
            claim("seconds until its fair share again", FAIR_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        FaultScenario::FailsAtOnce => vec![
            claim("failed calls", FAILURES_AT_ONCE, |metrics| Some(as_f64(failures(metrics)))),
            claim("seconds until it is ejected", EJECTED_AT_ONCE_S, |metrics| metrics.ejected_after_s),
            claim("ejections of healthy replicas", 0.0, healthy_ejections),
        ],
        FaultScenario::Fails30Percent => vec![
            claim("seconds until it is ejected", EJECTED_AT_30_PERCENT_S, |metrics| metrics.ejected_after_s),
            claim("ejections of healthy replicas", 0.0, healthy_ejections),
        ],
        FaultScenario::Paused => vec![
            claim("failed, %", FAILED_PERCENT, failed_percent),
            claim("seconds until its fair share again", FAIR_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        FaultScenario::KilledAndBack => vec![
            claim("failed reads", 0.0, |metrics| Some(as_f64(failures(metrics)))),
            claim("seconds until its fair share again", BACK_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        FaultScenario::AllDown | FaultScenario::AllFailing | FaultScenario::Overload | FaultScenario::Noise => {
            of_the_group(fault, plan)
        }
        FaultScenario::KilledWrites => vec![
            claim("failed reads", 0.0, |metrics| Some(as_f64(writes(metrics)?.reads.failed))),
            claim("failed creates", FAILED_CREATES, |metrics| Some(as_f64(writes(metrics)?.creates.failed))),
            claim(UPDATED_TWICE, 0.0, updated_twice),
            claim("seconds until its fair share again", BACK_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        FaultScenario::PausedWrites => {
            vec![claim("failed, %", FAILED_PERCENT, failed_percent), claim(UPDATED_TWICE, 0.0, updated_twice)]
        }
    }
}

const UPDATED_TWICE: &str = "updates that came to the replicas twice, or are missing in their ledger";

fn updated_twice(metrics: &Metrics) -> Option<f64> {
    let updates = writes(metrics)?.updates;
    // Without an update nothing was shown.
    (updates.calls > updates.failed).then(|| as_f64(updates.arrived_twice + updates.missing))
}

fn writes(metrics: &Metrics) -> Option<&WriteMetrics> {
    metrics.writes.as_ref()
}

fn of_the_group(fault: FaultScenario, plan: &Plan) -> Vec<Claim> {
    match fault {
        FaultScenario::AllDown => vec![
            claim("refusals, in the gateway's own histogram, p99 in ms", REFUSAL_MS, |metrics| {
                group(metrics)?.refusal_in_gateway_ms_p99
            }),
            claim("failed from 3 s after the return on, %", FAILED_AFTER_RETURN_PERCENT, failed_percent_after),
        ],
        FaultScenario::AllFailing => {
            let what = "attempts for each call (limit: 1.2, and what the retry budget gives by time and had saved)";
            vec![claim(what, attempts_per_call(plan), |metrics| group(metrics)?.attempts_per_call)]
        }
        FaultScenario::Overload => vec![
            claim("missing of the goodput that the slots allow, %", LOST_GOODPUT_PERCENT, |metrics| {
                Some((1.0 - group(metrics)?.goodput / f64::from(CAPACITY)) * 100.0)
            }),
            claim("failed from 5 s after it on, %", FAILED_PERCENT, failed_percent_after),
            claim("p99 from 5 s after it on as a multiple of the one before", P99_FACTOR, |metrics| {
                p99_factor(metrics, group(metrics)?.p99_ms_after?)
            }),
        ],
        _ => vec![claim("ejections", 0.0, all_ejections)],
    }
}

/// A fifth of a retry for each call; ten a second whatever comes; fifty that may have been saved up. Calls and attempts
/// are counted a moment apart, for which a thousandth is added.
fn attempts_per_call(plan: &Plan) -> f64 {
    const RATIO: f64 = 1.2;
    const FLOOR_PER_SECOND: f64 = 10.0;
    const SAVED: f64 = 50.0;
    const COUNTED_APART: f64 = 0.001;
    let rate = f64::from(plan.rate.max(1));
    let seconds = plan.timing.broken_by(FaultScenario::AllFailing).as_secs_f64().max(f64::EPSILON);
    RATIO + FLOOR_PER_SECOND / rate + SAVED / (rate * seconds) + COUNTED_APART
}

fn group(metrics: &Metrics) -> Option<&GroupMetrics> {
    metrics.group.as_ref()
}

fn failures(metrics: &Metrics) -> u64 {
    metrics.failed + metrics.failed_later
}

fn failed_percent(metrics: &Metrics) -> Option<f64> {
    Some(metrics.failed_ratio * 100.0)
}

fn failed_percent_after(metrics: &Metrics) -> Option<f64> {
    Some(group(metrics)?.failed_ratio_after? * 100.0)
}

fn healthy_ejections(metrics: &Metrics) -> Option<f64> {
    metrics.healthy_ejections.map(as_f64)
}

fn all_ejections(metrics: &Metrics) -> Option<f64> {
    Some(as_f64(metrics.ejections? + metrics.healthy_ejections?))
}

fn p99_factor(metrics: &Metrics, p99: f64) -> Option<f64> {
    let calm = metrics.calm_latency_ms.p99;
    // Of no calls there is none.
    (calm > 0.0 && p99 > 0.0).then(|| p99 / calm)
}

#[allow(clippy::cast_precision_loss, reason = "call counts are below 2^52")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancing::plan::Timing;
    use crate::balancing::writes::MethodMetrics;
    use crate::load::LatencyMs;

    fn plan() -> Plan {
        Plan { variants: Vec::new(), faults: Vec::new(), runs: 1, timing: Timing::WHOLE, rate: 800, lanes: 1 }
    }

    /// Figures that bear out every claim.
    fn good() -> Metrics {
        let calls = MethodMetrics { calls: 1_000, ..MethodMetrics::default() };
        let latency = LatencyMs { p99: 4.0, ..LatencyMs::none() };
        let group = GroupMetrics {
            refusal_in_gateway_ms_p99: Some(0.25),
            refusal_at_caller_ms_p99: Some(2.0),
            attempts_per_call: Some(1.21),
            goodput: f64::from(CAPACITY),
            failed_ratio_after: Some(0.0),
            p99_ms_after: Some(4.0),
        };
        Metrics {
            calls: 10_000,
            calls_while_broken: 8_000,
            failed: 0,
            failed_later: 0,
            failed_while_calm: 0,
            failed_ratio: 0.0,
            failures: Default::default(),
            latency_ms: latency,
            calm_latency_ms: latency,
            calm_share: Some(0.25),
            faulty_share: Some(0.001),
            fair_again_s: Some(2.0),
            ejections: Some(0),
            healthy_ejections: Some(0),
            ejected_after_s: Some(0.3),
            lag_ms_p99: 0.1,
            group: Some(group),
            writes: Some(WriteMetrics { reads: calls, creates: calls, updates: calls }),
        }
    }

    fn of_group(metrics: &mut Metrics) -> &mut GroupMetrics {
        metrics.group.as_mut().unwrap()
    }

    /// What is needed to break each claim of a fault, in their order, and none of the others.
    fn check(fault: FaultScenario, breaches: &[fn(&mut Metrics)]) {
        let claims = claims(fault, &plan());
        let broken = |metrics: &Metrics| -> Vec<usize> {
            let holds = |claim: &Claim| (claim.figure)(metrics).is_some_and(|figure| figure <= claim.limit);
            (0..claims.len()).filter(|n| !holds(&claims[*n])).collect()
        };
        assert_eq!(breaches.len(), claims.len(), "{fault}");
        assert_eq!(broken(&good()), [0; 0], "{fault}");
        for (n, breach) in breaches.iter().enumerate() {
            let mut metrics = good();
            breach(&mut metrics);
            assert_eq!(broken(&metrics), [n], "{fault}");
        }
    }

    #[test]
    fn every_claim_about_one_replica_can_be_broken() {
        check(FaultScenario::None, &[|it| it.failed_while_calm = 1, |it| it.healthy_ejections = Some(1)]);
        check(
            FaultScenario::Slow,
            &[
                |it| it.failed_ratio = 0.002,
                |it| it.faulty_share = Some(0.004),
                |it| it.latency_ms.p99 = 6.1,
                |it| it.fair_again_s = None,
            ],
        );
        check(
            FaultScenario::FailsAtOnce,
            &[|it| it.failed = 11, |it| it.ejected_after_s = Some(1.1), |it| it.healthy_ejections = Some(1)],
        );
        check(FaultScenario::Fails30Percent, &[|it| it.ejected_after_s = None, |it| it.healthy_ejections = Some(1)]);
        check(FaultScenario::Paused, &[|it| it.failed_ratio = 0.002, |it| it.fair_again_s = Some(31.0)]);
        check(FaultScenario::KilledAndBack, &[|it| it.failed = 1, |it| it.fair_again_s = Some(5.1)]);
    }

    #[test]
    fn every_claim_about_the_group_can_be_broken() {
        check(
            FaultScenario::AllDown,
            &[
                |it| of_group(it).refusal_in_gateway_ms_p99 = Some(25.0),
                |it| of_group(it).failed_ratio_after = Some(0.011),
            ],
        );
        check(FaultScenario::AllFailing, &[|it| of_group(it).attempts_per_call = Some(1.22)]);
        check(
            FaultScenario::Overload,
            &[
                |it| of_group(it).goodput = 0.89 * f64::from(CAPACITY),
                |it| of_group(it).failed_ratio_after = Some(0.002),
                |it| of_group(it).p99_ms_after = Some(6.1),
            ],
        );
        check(FaultScenario::Noise, &[|it| it.ejections = Some(1)]);
    }

    #[test]
    fn every_claim_about_writes_can_be_broken() {
        fn of_writes(metrics: &mut Metrics) -> &mut WriteMetrics {
            metrics.writes.as_mut().unwrap()
        }
        let updates: [fn(&mut Metrics); 3] = [
            |it| of_writes(it).updates.arrived_twice = 1,
            |it| of_writes(it).updates.missing = 1,
            |it| of_writes(it).updates.calls = 0,
        ];
        for breach in updates {
            check(
                FaultScenario::KilledWrites,
                &[
                    |it| of_writes(it).reads.failed = 1,
                    |it| of_writes(it).creates.failed = 2,
                    breach,
                    |it| it.fair_again_s = None,
                ],
            );
            check(FaultScenario::PausedWrites, &[|it| it.failed_ratio = 0.002, breach]);
        }
    }

    #[test]
    fn a_figure_that_never_came_to_be_breaks_its_claim() {
        for (fault, expected) in
            [(FaultScenario::AllDown, 2), (FaultScenario::AllFailing, 1), (FaultScenario::Overload, 3)]
        {
            let nothing = Metrics { group: None, ..good() };
            let missing = claims(fault, &plan()).iter().filter(|claim| (claim.figure)(&nothing).is_none()).count();
            assert_eq!(missing, expected, "{fault}");
        }
    }
}
