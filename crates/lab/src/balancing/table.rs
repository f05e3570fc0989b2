//! The table in the terminal: a row for each cell as it ends.

use super::story::Cell;

/// The names of the columns.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:17} {:21} {:>3} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>9}  {}",
        "fault",
        "policy or peer",
        "run",
        "calls",
        "failed",
        "failed %",
        "p50 ms",
        "p90",
        "p99",
        "p99.9",
        "calm p99",
        "share %",
        "fair s",
        "ejections",
        "failed with"
    )
}

/// A cell.
#[must_use]
pub fn row(cell: &Cell) -> String {
    let metrics = &cell.metrics;
    let optional = |value: Option<f64>, decimals: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
    };
    let ejections = match (metrics.ejections, metrics.healthy_ejections) {
        (Some(faulty), Some(0)) => faulty.to_string(),
        (Some(faulty), Some(healthy)) => format!("{faulty} (+{healthy})"),
        _ => "–".to_owned(),
    };
    let kinds: Vec<String> = metrics.failures.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let latency = metrics.latency_ms;
    format!(
        "{:17} {:21} {:>3} {:>7} {:>7} {:>8.3} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>7} {:>8} {:>9}  {}",
        cell.fault.name(),
        cell.variant.name(),
        cell.run,
        metrics.calls_while_broken,
        metrics.failed,
        metrics.failed_ratio * 100.0,
        latency.p50,
        latency.p90,
        latency.p99,
        latency.p999,
        metrics.calm_latency_ms.p99,
        optional(metrics.faulty_share.map(|share| share * 100.0), 2),
        optional(metrics.fair_again_s, 1),
        ejections,
        kinds.join(", ")
    )
}
