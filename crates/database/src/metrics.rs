//! Instruments of the pool and of statements. Names, labels and buckets stand in `crm_telemetry::names`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crm_telemetry::metrics::Owners;
use crm_telemetry::{metrics, names};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use crate::shared::{PoolState, Shared};

/// How a transaction ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Commit,
    Rollback,
}

struct Instruments {
    wait: Histogram<f64>,
    transactions: Counter<u64>,
    statements: Histogram<f64>,
    errors: Counter<u64>,
    outcomes: [[KeyValue; 1]; 2],
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| Instruments {
    wait: metrics::histogram(&names::DB_WAIT_DURATION),
    transactions: metrics::counter(&names::DB_TRANSACTIONS),
    statements: metrics::histogram(&names::DB_OPERATION_DURATION),
    errors: metrics::counter(&names::DB_ERRORS),
    outcomes: ["commit", "rollback"].map(|outcome| [metrics::label(names::label::OUTCOME, outcome)]),
});

pub(crate) fn record_wait(waited: Duration) {
    INSTRUMENTS.wait.record(waited.as_secs_f64(), &[]);
}

pub(crate) fn count_transaction(outcome: Outcome) {
    let [commit, rollback] = &INSTRUMENTS.outcomes;
    let labels = match outcome {
        Outcome::Commit => commit,
        Outcome::Rollback => rollback,
    };
    INSTRUMENTS.transactions.add(1, labels);
}

pub(crate) fn record_statement(name: &'static str, took: Duration) {
    INSTRUMENTS.statements.record(took.as_secs_f64(), &[metrics::label(names::label::OPERATION, name)]);
}

pub(crate) fn count_error(name: &'static str, class: &str) {
    let labels = [metrics::label(names::label::OPERATION, name), KeyValue::new(names::label::CODE, class.to_owned())];
    INSTRUMENTS.errors.add(1, &labels);
}

static POOLS: Owners<Shared> = Owners::new(register);

/// Lets each scrape ask the pool how full it is, as long as it lives; of several pools it sees the sum.
pub(crate) fn observe_pool(shared: &Arc<Shared>) {
    POOLS.add(Arc::downgrade(shared));
}

fn register() {
    metrics::observe_gauge(&names::DB_CONNECTIONS, |gauge| {
        gauge.observe(sum(|state| state.idle), &[metrics::label(names::label::STATE, "idle")]);
        gauge.observe(sum(|state| state.used()), &[metrics::label(names::label::STATE, "used")]);
    });
    metrics::observe_gauge(&names::DB_CONNECTIONS_MAX, |gauge| gauge.observe(sum(|state| state.max), &[]));
}

fn sum(of: fn(&PoolState) -> u32) -> f64 {
    POOLS.living().iter().map(|pool| f64::from(of(&pool.state()))).sum()
}
