//! What can be tuned, with the defaults and their reasons. Durations are wall time unless said otherwise.

use std::time::Duration;

use crate::Switch;

/// When an endpoint is taken out for failing, and how it comes back. Each endpoint is judged alone: comparing it with its
/// group needs more hosts than a small service has.
#[derive(Debug, Clone, PartialEq)]
pub struct EjectionSettings {
    /// Off ejects nobody any more; who is out serves its time and its probe.
    pub enabled: Switch,
    /// Failures in a row that eject. Default 5: a dead endpoint is out before it has cost ten calls.
    pub consecutive_failures: u32,
    /// Below this share of successes over the window an endpoint is ejected. Default 0.85: thirty per cent of failures is
    /// out, half a per cent of noise is not.
    pub success_rate: f64,
    /// The success rate is judged over this time. Default 5 s; at most 15 s, in whole seconds.
    pub window: Duration,
    /// …and only from this many samples on. Default 30.
    pub min_samples: u32,
    /// Length of the first ejection. Default 2 s. It doubles with each that follows soon after the one before.
    pub base_time: Duration,
    /// Longest ejection. Default 30 s.
    pub max_time: Duration,
    /// Up to this part of the time is added at random, so that endpoints do not come back together. Default 0.1.
    pub jitter: f64,
    /// A call given up after less than this says nothing about the endpoint: its caller was in a hurry. Default 100 ms.
    pub min_timeout: Duration,
    /// Largest share of the endpoints that may be out at once. Default 0.5; the last healthy one never is. More than 0
    /// allows one at least, 0 none.
    pub max_ejected: f64,
}

impl Default for EjectionSettings {
    fn default() -> Self {
        Self {
            enabled: Switch::on(),
            consecutive_failures: 5,
            success_rate: 0.85,
            window: Duration::from_secs(5),
            min_samples: 30,
            base_time: Duration::from_secs(2),
            max_time: Duration::from_secs(30),
            jitter: 0.1,
            min_timeout: Duration::from_millis(100),
            max_ejected: 0.5,
        }
    }
}

/// Active health checks.
#[derive(Debug, Clone, PartialEq)]
pub enum HealthCheck {
    /// None: an endpoint that accepts a connection is taken as healthy.
    Off,
    /// `grpc.health.v1.Health/Check` on the connection that carries the calls. An endpoint without such a service is
    /// taken as healthy.
    Grpc {
        /// Pause between two checks.
        every: Duration,
        /// A check without an answer for this long has failed.
        timeout: Duration,
        /// Checks without an answer in a row that make an endpoint unhealthy; an answer of "not serving" does at once.
        failures: u32,
        /// The service asked for; empty asks for the whole process.
        service: String,
    },
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self::Grpc {
            every: Duration::from_secs(1),
            timeout: Duration::from_millis(500),
            failures: 2,
            service: String::new(),
        }
    }
}

/// How connections are made and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionSettings {
    /// A connection that is not up after this long has failed. Default 1 s.
    pub connect_timeout: Duration,
    /// Pause between HTTP/2 pings. Default 5 s: tells a silent peer from a slow one.
    pub keep_alive_every: Duration,
    /// A ping without an answer for this long ends the connection. Default 3 s.
    pub keep_alive_timeout: Duration,
    /// First pause before connecting again; doubles up to [`max_backoff`](Self::max_backoff), with jitter. Default 20 ms.
    pub base_backoff: Duration,
    /// Longest pause before connecting again. Default 1 s: a refused connect costs
    /// little, and traffic returns within a second of a restart.
    pub max_backoff: Duration,
    /// A connection is replaced, without losing a call, when it is this old. Default none.
    pub max_age: Option<Duration>,
    /// How long an endpoint that is no longer discovered may finish what it has. Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(1),
            keep_alive_every: Duration::from_secs(5),
            keep_alive_timeout: Duration::from_secs(3),
            base_backoff: Duration::from_millis(20),
            max_backoff: Duration::from_secs(1),
            max_age: None,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Which calls are tried again, how often, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySettings {
    /// Attempts of one call, the first included; 1 turns retries off. Default 3.
    pub max_attempts: u32,
    /// Retries that each call earns. Default 0.2: an upstream that fails everything sees 1.2 times its calls, not 3.
    pub budget_ratio: f64,
    /// Retries a second that are there even without calls. Default 10.
    pub budget_floor_per_second: f64,
    /// A larger request streams through and is not tried again. Default 64 KiB.
    pub max_body_bytes: usize,
    /// Full jitter: the pause before retry n is a random part of `base_backoff × 2ⁿ⁻¹`. Default 5 ms.
    pub base_backoff: Duration,
    /// Longest such pause. Default 100 ms.
    pub max_backoff: Duration,
    /// How long one attempt may wait for response headers.
    pub per_try: PerTry,
}

impl RetrySettings {
    /// No retries: for a service that the gateway calls, which tries again by itself.
    #[must_use]
    pub fn off() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            budget_ratio: 0.2,
            budget_floor_per_second: 10.0,
            max_body_bytes: 64 * 1024,
            base_backoff: Duration::from_millis(5),
            max_backoff: Duration::from_millis(100),
            per_try: PerTry::Half,
        }
    }
}

/// Time-out of one attempt of a retryable call, until response headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerTry {
    /// Half of what is left of the deadline; the last try gets all of it. So a call that needs half its deadline is never
    /// given up early, and one that hangs is tried elsewhere in good time.
    Half,
    /// This long.
    Fixed(Duration),
    /// The call's deadline only.
    Off,
}

/// The adaptive limit on calls in flight.
#[derive(Debug, Clone, PartialEq)]
pub struct ShedSettings {
    /// Off lets every call in.
    pub enabled: Switch,
    /// The limit at start. Default 256.
    pub initial: u32,
    /// The limit never falls below. Default 32.
    pub min: u32,
    /// The limit never rises above. Default 4096.
    pub max: u32,
    /// Latency may rise to this multiple of its long-term average before the limit falls. Default 2.
    pub tolerance: f64,
    /// Calls marked `x-crm-priority: bulk` are let in up to this part of the limit. Default 0.75.
    pub bulk_share: f64,
}

impl Default for ShedSettings {
    fn default() -> Self {
        Self { enabled: Switch::on(), initial: 256, min: 32, max: 4096, tolerance: 2.0, bulk_share: 0.75 }
    }
}

/// The client stack.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSettings {
    /// Deadline of a call that names none. Default 10 s.
    pub default_timeout: Duration,
    /// Longest deadline; a caller that asks for more gets this. Default 60 s.
    pub max_timeout: Duration,
    /// Which calls are tried again.
    pub retry: RetrySettings,
    /// The adaptive limit on calls in flight.
    pub shed: ShedSettings,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            default_timeout: Duration::from_secs(10),
            max_timeout: Duration::from_secs(60),
            retry: RetrySettings::default(),
            shed: ShedSettings::default(),
        }
    }
}
