//! The lab's drawings.

use crm_chart::{HeatCell, HeatTable, LineChart, Series, Stretch, Tone, short};

use super::fault_scenario::FaultScenario;
use super::metrics::{Metrics, Second};
use super::plan::Plan;
use super::story::Cell;
use super::variant::Variant;

/// A figure of a cell, how it is written, and how bad it is (0 to 5).
pub(super) struct Figure {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) text: fn(&Metrics) -> String,
    pub(super) heat: fn(&Metrics) -> u8,
    /// Whether it says anything about this fault.
    pub(super) tells: fn(FaultScenario) -> bool,
}

pub(super) const FAILED: Figure = Figure {
    title: "Failed calls, %",
    description: "Of the calls that were due while the replica was broken or within two seconds after; the worst run. 0 is what a caller wants.",
    text: |metrics| if metrics.failed == 0 { "0".to_owned() } else { format!("{:.3}", metrics.failed_ratio * 100.0) },
    heat: |metrics| grade(metrics.failed_ratio * 100.0, [0.0, 0.1, 1.0, 5.0, 15.0]),
    tells: |_| true,
};

pub(super) const P99: Figure = Figure {
    title: "99th percentile, ms",
    description: "Of the calls that succeeded while the replica was broken, from the moment each was due. Read it beside the failures: a failed call is not in it.",
    text: |metrics| if metrics.latency_ms.p99 > 0.0 { short(metrics.latency_ms.p99) } else { "–".to_owned() },
    heat: |metrics| grade(slowdown(metrics), [1.5, 3.0, 10.0, 30.0, 100.0]),
    tells: |fault| fault != FaultScenario::AllDown && fault != FaultScenario::AllFailing,
};

pub(super) const SHARE: Figure = Figure {
    title: "Share of the faulty replica, %",
    description: "Of all attempts while it was broken. A quarter is its share when all is well.",
    text: |metrics| metrics.faulty_share.map_or_else(|| "–".to_owned(), |share| short(share * 100.0)),
    heat: |metrics| grade(metrics.faulty_share.unwrap_or(0.0) * 100.0, [0.3, 2.0, 8.0, 20.0, 40.0]),
    tells: |fault| fault != FaultScenario::None && !fault.is_of_the_group(),
};

pub(super) const FAIR_AGAIN: Figure = Figure {
    title: "Seconds until its fair share again",
    description: "After healing, until it got at least four fifths of what it got before. A dash: not within the time given.",
    text: |metrics| metrics.fair_again_s.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.1}")),
    heat: |metrics| grade(metrics.fair_again_s.unwrap_or(f64::INFINITY), [2.0, 5.0, 15.0, 30.0, 60.0]),
    tells: |fault| !fault.is_of_the_group(),
};

fn grade(value: f64, limits: [f64; 5]) -> u8 {
    let passed = limits.iter().filter(|limit| value > **limit).count();
    u8::try_from(passed).unwrap_or(u8::MAX)
}

/// Faults by variants; in each place the worst of its runs.
pub(super) fn heat(figure: &Figure, plan: &Plan, cells: &[Cell]) -> String {
    let columns = plan.variants.iter().map(|variant| variant.name().to_owned()).collect();
    let mut table = HeatTable::new(figure.title, "fault", columns).description(figure.description);
    for fault in plan.faults.iter().filter(|fault| (figure.tells)(**fault)) {
        let place = |variant: &Variant| {
            let worst = worst(cells, *fault, variant, figure.heat);
            worst.map_or_else(HeatCell::default, |cell| {
                let kinds: Vec<String> = cell.metrics.failures.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
                HeatCell::new((figure.text)(&cell.metrics)).heat((figure.heat)(&cell.metrics)).note(kinds.join(", "))
            })
        };
        table = table.row(fault.title(), plan.variants.iter().map(place).collect());
    }
    table.render()
}

/// How many times the calm p99; without a single success there is none, which is worst.
fn slowdown(metrics: &Metrics) -> f64 {
    let (p99, calm) = (metrics.latency_ms.p99, metrics.calm_latency_ms.p99);
    if p99 > 0.0 { p99 / calm.max(0.1) } else { f64::INFINITY }
}

/// The run that looks worst; of equals, the one that failed more.
pub(super) fn worst<'a>(
    cells: &'a [Cell],
    fault: FaultScenario,
    variant: &Variant,
    heat: fn(&Metrics) -> u8,
) -> Option<&'a Cell> {
    let runs = cells.iter().filter(|cell| cell.fault == fault && cell.variant == *variant);
    runs.max_by(|a, b| (heat(&a.metrics), a.metrics.failed).cmp(&(heat(&b.metrics), b.metrics.failed)))
}

/// What one chart over time shows.
pub(super) struct Course {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) log_from: Option<f64>,
    pub(super) y_at_least: f64,
    pub(super) value: fn(&Second) -> f64,
    /// Whether it says anything about this fault.
    pub(super) tells: fn(FaultScenario) -> bool,
}

pub(super) const COURSES: [Course; 3] = [
    Course {
        name: "failed",
        title: "Failed calls a second",
        description: "Calls that were due in each second and failed.",
        log_from: None,
        y_at_least: 8.0,
        value: |second| second.failed,
        tells: |fault| fault != FaultScenario::None,
    },
    Course {
        name: "p99",
        title: "99th percentile, ms, of each second",
        description: "Latency of the calls that succeeded, on a logarithmic scale.",
        log_from: Some(1.0),
        y_at_least: 20.0,
        value: |second| second.p99_ms,
        tells: |_| true,
    },
    Course {
        name: "share",
        title: "Share of the faulty replica, %",
        description: "Its part of all attempts; a quarter when all is well.",
        log_from: None,
        y_at_least: 40.0,
        value: |second| second.share_percent,
        tells: |fault| !fault.is_of_the_group(),
    },
];

/// One fault's course: these variants, each in its first run.
pub(super) fn course(
    course: &Course,
    fault: FaultScenario,
    group: &str,
    variants: &[&Variant],
    cells: &[Cell],
) -> Option<String> {
    let found = |variant: &&Variant| cells.iter().find(|cell| cell.fault == fault && cell.variant == **variant);
    let shown: Vec<&Cell> = variants.iter().filter_map(found).collect();
    let first = shown.first()?;
    let id = format!("{}-{}-{group}", course.name, fault.name());
    let mut chart =
        LineChart::new(id, course.title).description(course.description).x_unit("s").y_at_least(course.y_at_least);
    if let Some(low) = course.log_from {
        chart = chart.log_from(low);
    }
    if fault != FaultScenario::None {
        chart = chart.stretch(Stretch::new(0.0, first.broken_s, fault.name()));
    }
    for (n, cell) in shown.iter().enumerate() {
        let points = cell.seconds.iter().map(|second| (second.at + 0.5, (course.value)(second))).collect();
        let tone = if cell.variant.is_default() { Tone::Series(0) } else { Tone::Series(n + 1) };
        chart = chart.series(Series::new(cell.variant.name(), tone, points));
    }
    Some(chart.render())
}
