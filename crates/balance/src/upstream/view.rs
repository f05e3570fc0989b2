//! An upstream as plain values, for people.

use std::time::Duration;

use tokio::time::Instant;

use super::roster::Member;
use super::shared::Shared;
use crate::snapshot::{CallsSnapshot, ReplicaSnapshot};

/// What "recent" means in a snapshot.
const RECENT: Duration = Duration::from_secs(10);

pub(crate) fn replicas(shared: &Shared) -> Vec<ReplicaSnapshot> {
    let now = Instant::now();
    shared.with_roster(|roster| {
        let calls = |member: &Member| f64::from(member.replica.recent.over(RECENT, now).calls);
        let total: f64 = roster.members.iter().map(calls).sum();
        roster.members.iter().map(|member| snapshot(member, calls(member), total, shared, now)).collect()
    })
}

pub(crate) fn calls(shared: &Shared) -> CallsSnapshot {
    let counters = &shared.counters;
    let [median, tail] = shared.latencies.percentiles([0.5, 0.99], Instant::now());
    CallsSnapshot {
        ok: counters.ok.get(),
        errors: counters.errors.get(),
        cancelled: counters.cancelled.get(),
        retries: counters.retries_sent.get(),
        shed: counters.shed_interactive.get() + counters.shed_bulk.get(),
        p50_ms: median * 1e3,
        p99_ms: tail * 1e3,
    }
}

fn snapshot(member: &Member, recent: f64, total: f64, shared: &Shared, now: Instant) -> ReplicaSnapshot {
    let (replica, lived) = (&member.replica, now.saturating_duration_since(shared.epoch));
    let [median, tail] = replica.latencies.percentiles([0.5, 0.99], now);
    ReplicaSnapshot {
        ordinal: replica.ordinal,
        address: replica.address.clone(),
        state: member.state.phase(),
        reason: member.state.reason().map(str::to_owned),
        weight: replica.weight,
        share: if total > 0.0 { recent / total } else { 0.0 },
        rate: recent / lived.min(RECENT).as_secs_f64().max(1.0),
        latency_ms_ewma: replica.load.latency(now) * 1e3,
        p50_ms: median * 1e3,
        p99_ms: tail * 1e3,
        in_flight: replica.load.in_flight(),
        ejections: member.sentence.ejections(),
        calls: replica.recent.calls(),
        failures: replica.recent.failures(),
    }
}
