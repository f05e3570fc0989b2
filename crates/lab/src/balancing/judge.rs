//! What our gateway claims, and whether the cells bear it out.

use super::claims::{Claim, as_f64, claims};
use super::fault_scenario::FaultScenario;
use super::metrics::Metrics;
use super::plan::Plan;
use super::story::Cell;
use crate::report::Verdict;

/// A generator that is later than this measures itself.
const LATE_MS: f64 = 20.0;

/// Every claim of which the plan has the cells, and whether the generator was punctual enough to say so. Nothing is claimed of policies that are there to be compared with.
pub(super) fn judge(cells: &[Cell], plan: &Plan) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for fault in &plan.faults {
        let ours: Vec<&Metrics> = of(cells, *fault, |cell| cell.variant.is_default());
        if ours.is_empty() {
            continue;
        }
        for Claim { what, limit, figure } in claims(*fault, plan) {
            let claim = format!("peak_ewma, {}: {what}", fault.title());
            verdicts.push(Verdict::worst(claim, limit, ours.iter().map(|metrics| figure(metrics))));
        }
        verdicts.extend(against_peers(cells, *fault, &ours));
    }
    let lags = cells.iter().map(|cell| Some(cell.metrics.lag_ms_p99));
    verdicts.push(Verdict::worst("the generator itself: calls started late, 99th percentile in ms", LATE_MS, lags));
    verdicts
}

fn of(cells: &[Cell], fault: FaultScenario, wanted: impl Fn(&Cell) -> bool) -> Vec<&Metrics> {
    cells.iter().filter(|cell| cell.fault == fault && wanted(cell)).map(|cell| &cell.metrics).collect()
}

/// The worst of our runs against the worst runs of the best peer.
fn against_peers(cells: &[Cell], fault: FaultScenario, ours: &[&Metrics]) -> Option<Verdict> {
    let peers = cells.iter().filter(|cell| cell.variant.is_peer()).map(|cell| cell.variant.name());
    let worst_of = |peer: &str| {
        let runs = of(cells, fault, |cell| cell.variant.name() == peer);
        runs.iter().map(|metrics| metrics.failed).max().map(|failed| (failed, peer.to_owned()))
    };
    let (fewest, best) = peers.filter_map(worst_of).min()?;
    let claim = format!("peak_ewma, {}: failed calls, no more than the best peer ({best})", fault.title());
    Some(Verdict::worst(claim, as_f64(fewest), ours.iter().map(|metrics| Some(as_f64(metrics.failed)))))
}
