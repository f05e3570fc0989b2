//! One endpoint as the hot path sees it: who it is, how loaded it is, how well it does. No locks in here.

mod latency;
mod load;
mod outcome;
mod recent;

use http::uri::Authority;
use opentelemetry::KeyValue;
use std::sync::atomic::AtomicBool;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use latency::Latencies;
pub(crate) use load::Load;
pub(crate) use outcome::Outcome;
pub(crate) use recent::Recent;

use crate::dice;
use crate::discovery::Endpoint;

/// What all calls to one endpoint share.
pub(crate) struct Replica {
    pub(crate) ordinal: u32,
    /// The ordinal as text, for spans.
    pub(crate) label: String,
    pub(crate) address: String,
    /// The address as it stands in `:authority`; none if it cannot stand there, and then no connect succeeds either.
    pub(crate) authority: Option<Authority>,
    pub(crate) weight: u32,
    /// Its identity under `consistent_hash`: of the address, so that all gateways agree.
    pub(crate) hash: u64,
    pub(crate) load: Load,
    pub(crate) recent: Recent,
    pub(crate) latencies: Latencies,
    /// Whether a call is carrying the probe now.
    pub(crate) probe_out: AtomicBool,
    /// Wakes the task that looks after the endpoint, when its state changed under it.
    pub(crate) changed: Notify,
    /// Labels of its histogram, made once.
    pub(crate) labels: [KeyValue; 2],
}

impl Replica {
    pub(crate) fn new(ordinal: u32, upstream: &str, endpoint: &Endpoint, epoch: Instant) -> Self {
        let label = ordinal.to_string();
        Self {
            ordinal,
            authority: endpoint.address.parse().ok(),
            weight: endpoint.weight.max(1),
            hash: dice::hash(endpoint.address.as_bytes()),
            address: endpoint.address.clone(),
            load: Load::new(epoch),
            recent: Recent::new(epoch),
            latencies: Latencies::new(epoch),
            probe_out: AtomicBool::new(false),
            changed: Notify::new(),
            labels: [KeyValue::new("upstream", upstream.to_owned()), KeyValue::new("replica", label.clone())],
            label,
        }
    }
}
