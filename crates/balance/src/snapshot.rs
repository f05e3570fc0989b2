//! What the control API shows of an upstream: plain values, serializable, taken at one moment.

use serde::{Deserialize, Serialize};

use crate::Policy;

/// Where an endpoint stands in its life; the picture is in the crate's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No connection yet, or not again.
    Connecting,
    /// Takes calls.
    Ready,
    /// Connected, but its health service says that it does not serve, or does not answer.
    Unhealthy,
    /// Taken out for failing calls; waits for its time to pass.
    Ejected,
    /// Its time has passed: one call at a time decides whether it returns.
    Probing,
    /// No longer discovered; finishes what it has.
    Draining,
}

impl Phase {
    /// The stable name: `ejected`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Unhealthy => "unhealthy",
            Self::Ejected => "ejected",
            Self::Probing => "probing",
            Self::Draining => "draining",
        }
    }
}

/// One endpoint at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaSnapshot {
    /// Its number within the upstream: stable as long as it is discovered, the smallest free one when it appears.
    pub ordinal: u32,
    /// `host:port`.
    pub address: String,
    /// Where it stands in its life.
    pub state: Phase,
    /// Why it is not ready, if it is not: `consecutive failures`, `connection refused`, …
    pub reason: Option<String>,
    /// Its weight, from discovery.
    pub weight: u32,
    /// Its part of the upstream's attempts over the last ten seconds, 0 to 1.
    pub share: f64,
    /// Attempts per second over the last ten seconds.
    pub rate: f64,
    /// Peak EWMA of its time to response headers.
    pub latency_ms_ewma: f64,
    /// Median time to response headers over the last ten seconds (to within 10 %).
    pub p50_ms: f64,
    /// 99th percentile of the same.
    pub p99_ms: f64,
    /// Calls it is working on.
    pub in_flight: u32,
    /// How often it was ejected since it was discovered.
    pub ejections: u64,
    /// Attempts that ended since it was discovered.
    pub calls: u64,
    /// Attempts that failed by its fault.
    pub failures: u64,
}

/// The calls of an upstream as their callers see them: however many attempts each took. Totals since the start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CallsSnapshot {
    /// Answered with status `OK`.
    pub ok: u64,
    /// Ended with another status.
    pub errors: u64,
    /// Given up by the caller.
    pub cancelled: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Refused for load.
    pub shed: u64,
    /// Median time to response headers or the deadline, retries included and refusals left out, over the last ten seconds
    /// (to within 10 %).
    pub p50_ms: f64,
    /// 99th percentile of the same.
    pub p99_ms: f64,
}

/// Something that a person watching the upstream wants to see at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An endpoint moved in its life.
    StateChanged {
        /// The upstream's name.
        upstream: String,
        /// The endpoint's ordinal.
        replica: u32,
        /// `host:port`.
        address: String,
        /// The state left; absent when the endpoint was just discovered.
        from: Option<Phase>,
        /// The state entered; absent when the endpoint is gone.
        to: Option<Phase>,
        /// Why: `consecutive failures`, `probe succeeded`, …
        reason: String,
    },
    /// Another policy chooses from now on.
    PolicyChanged {
        /// The upstream's name.
        upstream: String,
        /// The policy before.
        from: Policy,
        /// The policy now.
        to: Policy,
    },
    /// No endpoint is healthy (or too few are): calls are spread over all that are connected.
    PanicEntered {
        /// The upstream's name.
        upstream: String,
        /// Endpoints that are healthy.
        healthy: u32,
        /// Endpoints that are known.
        known: u32,
    },
    /// Enough endpoints are healthy again.
    PanicLeft {
        /// The upstream's name.
        upstream: String,
    },
}
