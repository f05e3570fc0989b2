//! Metrics of all upstreams of the process. The hot path only adds to atomics; a scrape reads them here.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use crm_telemetry::metrics::{Owners, observe_counter, observe_gauge};
use crm_telemetry::names::{self, Metric, label};
use opentelemetry::KeyValue;
use opentelemetry::metrics::AsyncInstrument;
use tokio::time::Instant;

use super::roster::Member;
use super::shared::Shared;
use crate::client::Limit;
use crate::ejection::Verdict;
use crate::replica::Outcome;
use crate::snapshot::Phase;

static UPSTREAMS: Owners<Shared> = Owners::new(register);

/// Lets scrapes see an upstream as long as it lives.
pub(crate) fn observe(shared: &Arc<Shared>) {
    UPSTREAMS.add(Arc::downgrade(shared));
}

type Sink<'a> = dyn Fn(f64, &[KeyValue]) + 'a;

fn register() {
    each(&names::UPSTREAM_CALLS, true, calls);
    each(&names::UPSTREAM_ATTEMPTS, true, |shared, sink| members(shared, sink, attempts));
    each(&names::UPSTREAM_EJECTIONS, true, |shared, sink| members(shared, sink, ejections));
    each(&names::UPSTREAM_RETRIES, true, retries);
    each(&names::UPSTREAM_SHED, true, shed);
    each(&names::UPSTREAM_IN_FLIGHT, false, |shared, sink| members(shared, sink, in_flight));
    each(&names::UPSTREAM_LATENCY, false, |shared, sink| members(shared, sink, latency));
    each(&names::UPSTREAM_REPLICAS, false, |shared, sink| members(shared, sink, states));
    each(&names::UPSTREAM_PANIC, false, |shared, sink| sink(flag(shared.table.load().panic), &[upstream(shared)]));
    each(&names::UPSTREAM_LIMIT, false, |shared, sink| limits(shared, sink, Limit::now));
    each(&names::UPSTREAM_LIMITED, false, |shared, sink| limits(shared, sink, Limit::in_flight));
    each(&names::UPSTREAM_RETRY_BUDGET, false, |shared, sink| {
        sink(shared.counters.budget.load(Relaxed) as f64 / 1e3, &[upstream(shared)]);
    });
}

/// An instrument that asks every living upstream.
fn each(metric: &Metric, is_counter: bool, read: fn(&Shared, &Sink<'_>)) {
    let callback = move |instrument: &dyn AsyncInstrument<f64>| {
        for shared in UPSTREAMS.living() {
            read(&shared, &|value, labels| instrument.observe(value, labels));
        }
    };
    if is_counter {
        observe_counter(metric, callback);
    } else {
        observe_gauge(metric, callback);
    }
}

fn members(shared: &Shared, sink: &Sink<'_>, read: fn(&Member, &Sink<'_>)) {
    shared.with_roster(|roster| roster.members.iter().for_each(|member| read(member, sink)));
}

fn upstream(shared: &Shared) -> KeyValue {
    KeyValue::new(label::UPSTREAM, shared.name.to_string())
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

/// Of all clients together; without any there is nothing to tell.
fn limits(shared: &Shared, sink: &Sink<'_>, read: fn(&Limit) -> u32) {
    let limits: Vec<_> = shared.limits.lock().iter().filter_map(Weak::upgrade).collect();
    if !limits.is_empty() {
        sink(limits.iter().map(|limit| f64::from(read(limit))).sum(), &[upstream(shared)]);
    }
}

fn calls(shared: &Shared, sink: &Sink<'_>) {
    let counters = &shared.counters;
    for (outcome, count) in [("ok", &counters.ok), ("error", &counters.errors), ("cancelled", &counters.cancelled)] {
        sink(count.get() as f64, &[upstream(shared), KeyValue::new(label::OUTCOME, outcome)]);
    }
}

fn retries(shared: &Shared, sink: &Sink<'_>) {
    let counters = &shared.counters;
    let outcomes = [
        ("sent", &counters.retries_sent),
        ("budget_empty", &counters.retries_without_budget),
        ("not_retryable", &counters.retries_not_allowed),
    ];
    for (outcome, count) in outcomes {
        sink(count.get() as f64, &[upstream(shared), KeyValue::new(label::OUTCOME, outcome)]);
    }
}

fn shed(shared: &Shared, sink: &Sink<'_>) {
    let counters = &shared.counters;
    for (reason, count) in [("interactive", &counters.shed_interactive), ("bulk", &counters.shed_bulk)] {
        sink(count.get() as f64, &[upstream(shared), KeyValue::new(label::REASON, reason)]);
    }
}

fn with(member: &Member, key: &'static str, value: &'static str) -> [KeyValue; 3] {
    let [upstream, replica] = member.replica.labels.clone();
    [upstream, replica, KeyValue::new(key, value)]
}

fn attempts(member: &Member, sink: &Sink<'_>) {
    let recent = &member.replica.recent;
    let served = recent.calls().saturating_sub(recent.failures() + recent.cancelled());
    let outcomes =
        [(Outcome::Served, served), (Outcome::Failed, recent.failures()), (Outcome::Cancelled, recent.cancelled())];
    for (outcome, count) in outcomes {
        sink(count as f64, &with(member, label::OUTCOME, outcome.label()));
    }
}

fn ejections(member: &Member, sink: &Sink<'_>) {
    for verdict in [Verdict::ConsecutiveFailures, Verdict::SuccessRate, Verdict::ProbeFailed] {
        sink(member.sentence.counts[verdict as usize] as f64, &with(member, label::REASON, verdict.label()));
    }
}

fn in_flight(member: &Member, sink: &Sink<'_>) {
    sink(f64::from(member.replica.load.in_flight()), &member.replica.labels);
}

fn latency(member: &Member, sink: &Sink<'_>) {
    sink(member.replica.load.latency(Instant::now()), &member.replica.labels);
}

fn states(member: &Member, sink: &Sink<'_>) {
    let phases = [Phase::Connecting, Phase::Ready, Phase::Unhealthy, Phase::Ejected, Phase::Probing, Phase::Draining];
    for phase in phases {
        sink(flag(member.is(phase)), &with(member, label::STATE, phase.name()));
    }
}
