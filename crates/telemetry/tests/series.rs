//! A metric's labels may not fill the memory, whatever values they take.

#![allow(clippy::unwrap_used, missing_docs)]

use crm_telemetry::metrics::{self, MAX_SERIES};
use crm_telemetry::names::{Kind, Metric};

const MANY: Metric = Metric {
    name: "crm.test.many",
    kind: Kind::Counter,
    unit: "",
    labels: &["n"],
    buckets: &[],
    help: "Has more sets of labels than it may.",
};

#[test]
fn what_comes_beyond_the_bound_is_counted_together() {
    // As long as the process, like every other label.
    let values = (0..MAX_SERIES + 7).map(|n| &*n.to_string().leak());
    let counter = metrics::counter(&MANY);
    values.for_each(|value| counter.add(1, &[metrics::label("n", value)]));
    let text = metrics::metrics_text();
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("crm_test_many")).collect();
    assert_eq!(series.len(), MAX_SERIES + 1);
    let together = series.iter().find(|line| line.contains("otel_metric_overflow")).unwrap();
    assert!(together.ends_with(" 7"), "{together}");
}
