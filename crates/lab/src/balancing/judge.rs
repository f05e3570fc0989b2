//! What our gateway claims, and whether the cells bear it out.

use super::fault::Fault;
use super::metrics::Metrics;
use super::plan::Plan;
use super::story::Cell;
use crate::report::Verdict;

/// Our gateway under its default policy may fail this part of the calls.
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

/// A generator that is later than this measures itself.
const LATE_MS: f64 = 20.0;

type Figure = fn(&Metrics) -> Option<f64>;

/// Every claim of which the plan has the cells, and whether the generator was punctual enough to say so. Nothing is claimed of policies that are there to be compared with.
pub(super) fn judge(cells: &[Cell], plan: &Plan) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for fault in &plan.faults {
        let ours: Vec<&Metrics> = of(cells, *fault, |cell| cell.variant.is_default());
        if ours.is_empty() {
            continue;
        }
        for (what, limit, figure) in claims(*fault) {
            let claim = format!("peak_ewma, {}: {what}", fault.title());
            verdicts.push(Verdict::worst(claim, *limit, ours.iter().map(|metrics| figure(metrics))));
        }
        verdicts.extend(against_peers(cells, *fault, &ours));
    }
    let lags = cells.iter().map(|cell| Some(cell.metrics.lag_ms_p99));
    verdicts.push(Verdict::worst("the generator itself: calls started late, 99th percentile in ms", LATE_MS, lags));
    verdicts
}

fn of(cells: &[Cell], fault: Fault, wanted: impl Fn(&Cell) -> bool) -> Vec<&Metrics> {
    cells.iter().filter(|cell| cell.fault == fault && wanted(cell)).map(|cell| &cell.metrics).collect()
}

fn claims(fault: Fault) -> &'static [(&'static str, f64, Figure)] {
    match fault {
        Fault::None => &[
            ("failed calls", 0.0, |metrics| Some(as_f64(metrics.failed + metrics.failed_while_calm))),
            ("ejections", 0.0, |metrics| Some(as_f64(metrics.ejections? + metrics.healthy_ejections?))),
        ],
        Fault::Slow => &[
            ("failed, %", FAILED_PERCENT, failed_percent),
            ("share of the slow replica, %", SLOW_SHARE_PERCENT, |metrics| Some(metrics.faulty_share? * 100.0)),
            ("p99 as a multiple of the healthy one", P99_FACTOR, p99_factor),
            ("seconds until its fair share again", FAIR_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        Fault::FailsAtOnce => &[
            ("failed calls", FAILURES_AT_ONCE, |metrics| Some(as_f64(metrics.failed))),
            ("seconds until it is ejected", EJECTED_AT_ONCE_S, |metrics| metrics.ejected_after_s),
            ("ejections of healthy replicas", 0.0, healthy_ejections),
        ],
        Fault::Fails30Percent => &[
            ("seconds until it is ejected", EJECTED_AT_30_PERCENT_S, |metrics| metrics.ejected_after_s),
            ("ejections of healthy replicas", 0.0, healthy_ejections),
        ],
        Fault::Paused => &[
            ("failed, %", FAILED_PERCENT, failed_percent),
            ("seconds until its fair share again", FAIR_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
        Fault::KilledAndBack => &[
            ("failed reads", 0.0, |metrics| Some(as_f64(metrics.failed))),
            ("seconds until its fair share again", BACK_AGAIN_S, |metrics| metrics.fair_again_s),
        ],
    }
}

/// The worst of our runs against the worst runs of the best peer.
fn against_peers(cells: &[Cell], fault: Fault, ours: &[&Metrics]) -> Option<Verdict> {
    let peers = cells.iter().filter(|cell| cell.variant.is_peer()).map(|cell| cell.variant.name());
    let worst_of = |peer: &str| {
        let runs = of(cells, fault, |cell| cell.variant.name() == peer);
        runs.iter().map(|metrics| metrics.failed).max().map(|failed| (failed, peer.to_owned()))
    };
    let (fewest, best) = peers.filter_map(worst_of).min()?;
    let claim = format!("peak_ewma, {}: failed calls, no more than the best peer ({best})", fault.title());
    Some(Verdict::worst(claim, as_f64(fewest), ours.iter().map(|metrics| Some(as_f64(metrics.failed)))))
}

fn failed_percent(metrics: &Metrics) -> Option<f64> {
    Some(metrics.failed_ratio * 100.0)
}

fn healthy_ejections(metrics: &Metrics) -> Option<f64> {
    metrics.healthy_ejections.map(as_f64)
}

fn p99_factor(metrics: &Metrics) -> Option<f64> {
    let calm = metrics.calm_latency_ms.p99;
    (calm > 0.0).then(|| metrics.latency_ms.p99 / calm)
}

#[allow(clippy::cast_precision_loss, reason = "call counts are below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
