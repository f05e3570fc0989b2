//! The last minutes as lines.

use crm_balance::Phase;
use crm_chart::{LineChart, Series, Stretch, Tone};

use super::{Part, boxes::tone, id_of};
use crate::{
    control::Upstream,
    room::{History, Sample, Scene},
};

/// How far back the charts look, in seconds.
const WINDOW: f64 = 300.0;
/// Points are this many seconds apart, and stand at multiples of it, so that a line moves on without trembling.
const STEP: f64 = 2.0;
/// In pixels.
const HEIGHT: u32 = 200;

pub(super) fn part(upstream: &Upstream, scene: &Scene) -> Part {
    let id = id_of(&upstream.name);
    let empty = History::default();
    let history = scene.histories.get(&upstream.name).unwrap_or(&empty);
    let past = Past { history, end: (scene.now / STEP).floor() * STEP };
    let stretches = past.stretches();
    let charts = [past.calls(&id), past.failures(&id), past.latency(&id), past.shares(&id, upstream)];
    let drawn = charts.into_iter().map(|chart| {
        let chart = stretches.iter().cloned().fold(chart, LineChart::stretch);
        format!(r#"<figure class="chart-card">{}</figure>"#, chart.render())
    });
    Part::leaf(format!("charts-{id}"), drawn.collect())
}

struct Past<'a> {
    history: &'a History,
    end: f64,
}

impl Past<'_> {
    fn chart(&self, id: &str, kind: &str, title: &str, description: &str) -> LineChart {
        LineChart::new(format!("chart-{id}-{kind}"), title)
            .description(description)
            .x_range(-WINDOW / 60.0, 0.0)
            .x_unit("min")
            .height(HEIGHT)
            .slim()
    }

    fn calls(&self, id: &str) -> LineChart {
        self.chart(
            id,
            "calls",
            "Calls a second",
            "Calls that were answered, and second tries, over the last five minutes.",
        )
        .y_at_least(4.0)
        .series(self.rate("answered", Tone::Series(0), |sample| sample.ok))
        .series(self.rate("retries", Tone::Warning, |sample| sample.retries))
    }

    fn failures(&self, id: &str) -> LineChart {
        let about = "Attempts that failed at a replica, and calls that failed for their callers. What lies between was caught by retries.";
        self.chart(id, "failures", "Failures a second", about)
            .y_at_least(4.0)
            .series(self.rate("attempts", Tone::Warning, Sample::attempts_failed))
            .series(self.rate("calls", Tone::Bad, |sample| sample.failed))
    }

    fn latency(&self, id: &str) -> LineChart {
        self.chart(
            id,
            "latency",
            "Latency in milliseconds",
            "Median and 99th percentile as callers see them, on a logarithmic scale.",
        )
        .log_from(1.0)
        .y_at_least(100.0)
        .series(self.line("p99", Tone::Series(1), |past, moment| past.known(moment, |sample| sample.p99_ms)))
        .series(self.line("p50", Tone::Series(0), |past, moment| past.known(moment, |sample| sample.p50_ms)))
    }

    fn shares(&self, id: &str, upstream: &Upstream) -> LineChart {
        let chart = self.chart(id, "shares", "Share of each replica, %", "Each replica's part of the attempts.");
        let replicas = upstream.replicas.iter().map(|replica| replica.seen.ordinal);
        replicas.fold(chart.y_to(100.0), |chart, ordinal| {
            let share = |past: &Self, moment| past.history.share(moment, ordinal) * 100.0;
            chart.series(self.line(&format!("replica {ordinal}"), Tone::Series(tone(ordinal)), share))
        })
    }

    fn rate(&self, name: &str, tone: Tone, total: fn(&Sample) -> u64) -> Series {
        self.line(name, tone, |past, moment| past.history.rate(moment, |sample| Some(total(sample))))
    }

    fn line(&self, name: &str, tone: Tone, value: impl Fn(&Self, f64) -> f64) -> Series {
        // A whole number of steps: 150 points at most.
        let steps = (0..=150_u32).map(|step| STEP * f64::from(step) - WINDOW);
        let points = steps.map(|before| (before / 60.0, value(self, self.end + before)));
        Series::new(name, tone, points.collect())
    }

    /// A percentile of no calls is no percentile.
    fn known(&self, moment: f64, value: impl Fn(&Sample) -> f64) -> f64 {
        let value = self.history.at(moment).map_or(f64::NAN, value);
        if value > 0.0 { value } else { f64::NAN }
    }

    /// While something was not as it should be.
    fn stretches(&self) -> Vec<Stretch> {
        let mut runs: Vec<(f64, f64, String)> = Vec::new();
        for sample in self.history.since(self.end - WINDOW).filter(|sample| sample.at <= self.end) {
            let Some(what) = trouble(sample) else { continue };
            match runs.last_mut() {
                Some(last) if sample.at - last.1 < 3.0 => last.1 = sample.at,
                _ => runs.push((sample.at, sample.at, what)),
            }
        }
        let minutes = |at: f64| (at - self.end) / 60.0;
        runs.into_iter().map(|(from, to, name)| Stretch::new(minutes(from), minutes(to), name)).collect()
    }
}

/// The first thing that is wrong: `1 ejected`, `0 with a fault`.
fn trouble(sample: &Sample) -> Option<String> {
    let broken = sample.replicas.iter().find(|dot| dot.broken).map(|dot| format!("{} with a fault", dot.ordinal));
    let out = || sample.replicas.iter().find(|dot| dot.state != Phase::Ready);
    broken.or_else(|| out().map(|dot| format!("{} {}", dot.ordinal, dot.state.name())))
}
