//! `docs/telemetry.md` and `names.rs` say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use crm_telemetry::names::{Kind, LATENCY_SECONDS, LONG_SECONDS, METRICS, Metric, SHORT_SECONDS, attribute, span};

const PAGE: &str = include_str!("../../../docs/telemetry.md");

fn row(metric: &Metric) -> String {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
    let name = metric.prometheus_name();
    format!("| `{name}` | {kind} | {} | {labels} | {} | {} |", unit(metric), buckets(metric), metric.help)
}

fn unit(metric: &Metric) -> &'static str {
    if metric.unit.is_empty() { "1" } else { metric.unit }
}

fn buckets(metric: &Metric) -> &'static str {
    match metric.buckets {
        [] => "–",
        bounds if bounds == LATENCY_SECONDS => "latency",
        bounds if bounds == SHORT_SECONDS => "short",
        bounds if bounds == LONG_SECONDS => "long",
        _ => panic!("{}: buckets that the page has no name for", metric.name),
    }
}

/// First cells of the table under a heading, without their backticks.
fn first_cells(heading: &str) -> BTreeSet<&'static str> {
    let section = PAGE.split(&format!("\n## {heading}\n")).nth(1).expect("heading");
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn every_metric_stands_on_the_page_as_it_is() {
    let missing: Vec<String> = METRICS.iter().map(row).filter(|row| !PAGE.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "rows that docs/telemetry.md must have:\n{}", missing.join("\n"));
}

#[test]
fn the_page_invents_no_metric() {
    let names: BTreeSet<String> = METRICS.iter().map(Metric::prometheus_name).collect();
    let invented: Vec<_> = first_cells("Metrics").into_iter().filter(|name| !names.contains(*name)).collect();
    assert!(invented.is_empty(), "{invented:?}");
}

#[test]
fn attributes_and_spans_on_the_page_are_those_of_the_code() {
    assert_eq!(first_cells("Span attributes"), attribute::ALL.iter().copied().collect());
    assert_eq!(first_cells("Spans"), span::ALL.iter().copied().collect());
}

#[test]
fn bucket_bounds_on_the_page_are_those_of_the_code() {
    for (name, bounds) in [("latency", LATENCY_SECONDS), ("short", SHORT_SECONDS), ("long", LONG_SECONDS)] {
        let bounds: Vec<String> = bounds.iter().map(ToString::to_string).collect();
        let line = format!("- **{name}**: {}", bounds.join(", "));
        assert!(PAGE.contains(&line), "docs/telemetry.md must have the line\n{line}");
    }
}

#[test]
fn names_and_labels_keep_to_the_rules() {
    let mut seen = BTreeSet::new();
    for metric in METRICS {
        assert!(seen.insert(metric.prometheus_name()), "{} stands twice", metric.name);
        assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty(), "{}", metric.name);
        assert!(metric.buckets.is_sorted(), "{}", metric.name);
        // A tenant or a user as a label would make series without bound; so would method and replica together.
        assert!(!(metric.labels.contains(&"method") && metric.labels.contains(&"replica")), "{}", metric.name);
    }
}
