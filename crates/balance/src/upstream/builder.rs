//! Describing an upstream before it starts.

use std::sync::Arc;
use std::time::Duration;

use crate::Upstream;
use crate::connection::Connect;
use crate::discovery::{Discovery, Resolve, SystemResolver};
use crate::policy::Policy;
use crate::settings::{ConnectionSettings, EjectionSettings, HealthCheck};

/// Describes an upstream; every setting has a default that suits a service in one data centre.
pub struct Builder {
    pub(crate) name: String,
    pub(crate) discovery: Discovery,
    pub(crate) policy: Policy,
    pub(crate) health: HealthCheck,
    pub(crate) ejection: EjectionSettings,
    pub(crate) connection: ConnectionSettings,
    pub(crate) slow_start: Duration,
    pub(crate) start_wait: Duration,
    pub(crate) panic_threshold: f64,
    pub(crate) hash_header: Option<http::HeaderName>,
    pub(crate) seed: Option<u64>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) connector: Option<Arc<dyn Connect>>,
}

impl Builder {
    pub(crate) fn new(name: String, discovery: Discovery) -> Self {
        Self {
            name,
            discovery,
            policy: Policy::default(),
            health: HealthCheck::default(),
            ejection: EjectionSettings::default(),
            connection: ConnectionSettings::default(),
            slow_start: Duration::from_secs(3),
            start_wait: Duration::from_secs(2),
            panic_threshold: 0.0,
            hash_header: None,
            seed: None,
            resolver: Arc::new(SystemResolver),
            connector: None,
        }
    }

    /// The policy that chooses; `peak_ewma` unless told otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Active health checks; `grpc.health.v1` every second unless told otherwise.
    #[must_use]
    pub fn health(mut self, health: HealthCheck) -> Self {
        self.health = health;
        self
    }

    /// When a failing endpoint is taken out.
    #[must_use]
    pub fn ejection(mut self, ejection: EjectionSettings) -> Self {
        self.ejection = ejection;
        self
    }

    /// How connections are made and kept.
    #[must_use]
    pub fn connection(mut self, connection: ConnectionSettings) -> Self {
        self.connection = connection;
        self
    }

    /// A connection that is not up after this long has failed.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connection.connect_timeout = timeout;
        self
    }

    /// How long an endpoint that returns (or appears beside others) takes to reach its full share; 3 s. Zero turns it off.
    #[must_use]
    pub fn slow_start(mut self, window: Duration) -> Self {
        self.slow_start = window;
        self
    }

    /// How long the first calls wait for the first connection; 2 s. After that, calls without an endpoint fail at once.
    #[must_use]
    pub fn start_wait(mut self, longest: Duration) -> Self {
        self.start_wait = longest;
        self
    }

    /// Below this share of ready endpoints, calls are spread over all that are connected, whatever their state. 0 (the
    /// default) does so only when none is ready.
    #[must_use]
    pub fn panic_threshold(mut self, share: f64) -> Self {
        self.panic_threshold = share;
        self
    }

    /// The request header whose value is the key of `consistent_hash`, where no [`HashKey`](crate::HashKey) extension is.
    #[must_use]
    pub fn hash_header(mut self, header: http::HeaderName) -> Self {
        self.hash_header = Some(header);
        self
    }

    /// Fixes every random decision, for tests and simulations.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Another way to look names up.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Another way to connect: the seam where tests put endpoints made of memory.
    #[must_use]
    pub fn connector(mut self, connector: Arc<dyn Connect>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Starts it. Must be called within a Tokio runtime; tasks look for endpoints and connect in the background.
    #[must_use]
    pub fn build(self) -> Upstream {
        Upstream::start(self)
    }
}
