use std::time::Duration;

use crate::config::Env;

/// Which HTTP a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/2 from the first byte, as gRPC needs it.
    Http2,
    /// HTTP/1.1 or HTTP/2, by the first bytes of the connection.
    Any,
}

/// Bounds of a listening port. tonic leaves all of these open.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Which HTTP.
    pub protocol: Protocol,
    /// Open connections; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Calls at a time on one connection.
    pub max_concurrent_streams: u32,
    /// All headers of one request, in bytes, as HTTP/2 counts them. Over gRPC more is a status of the call.
    pub max_header_bytes: u32,
    /// How long a new connection may take to say something, and the head of a request from its first byte.
    pub header_timeout: Duration,
    /// How long a connection of HTTP/1 is kept for its next request.
    pub idle_timeout: Duration,
    /// How often a silent connection is pinged, and how long its answer may take.
    pub keepalive: Duration,
    /// How long an answer may wait for a peer that takes nothing of it. Longer than any pause of a network.
    pub stall_timeout: Duration,
    /// After this time a connection is asked to go away, so that clients find new replicas. Off by default.
    pub max_connection_age: Option<Duration>,
    /// From "not ready" until new calls are refused: the time that balancers need to notice.
    pub drain_grace: Duration,
    /// How long calls in flight may take once the process is to end.
    pub drain_timeout: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            protocol: Protocol::Http2,
            max_connections: 4096,
            // More than the calls that a process takes (`CRM_MAX_CONCURRENT_CALLS`): these are shared by tenant, streams are not.
            max_concurrent_streams: 1_024,
            max_header_bytes: 16 * 1024,
            header_timeout: Duration::from_secs(10),
            // What clients and proxies before us expect, nginx among them: theirs should be the shorter one.
            idle_timeout: Duration::from_secs(75),
            keepalive: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(30),
            max_connection_age: None,
            drain_grace: Duration::from_millis(300),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl ServerSettings {
    /// For a port beside the one that callers use: a few people and programs, which an end need not wait for long.
    pub fn beside() -> Self {
        Self {
            protocol: Protocol::Any,
            max_connections: 256,
            drain_grace: Duration::ZERO,
            drain_timeout: Duration::from_secs(2),
            ..Self::default()
        }
    }

    /// `CRM_MAX_CONNECTIONS`, `CRM_MAX_CONNECTION_AGE_S`, `CRM_DRAIN_GRACE_MS`, `CRM_DRAIN_TIMEOUT_MS`.
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let max_connections = env.within("CRM_MAX_CONNECTIONS", default.max_connections, 1..=1_000_000);
        let drain_grace = env.millis("CRM_DRAIN_GRACE_MS", default.drain_grace, 0);
        let drain_timeout = env.millis("CRM_DRAIN_TIMEOUT_MS", default.drain_timeout, 0);
        // A year is as good as never.
        const NEVER: u64 = 365 * 24 * 60 * 60;
        let max_connection_age = env.within("CRM_MAX_CONNECTION_AGE_S", NEVER, 1..=NEVER);
        let max_connection_age = (max_connection_age < NEVER).then_some(Duration::from_secs(max_connection_age));
        Self { max_connections, max_connection_age, drain_grace, drain_timeout, ..default }
    }
}
