//! Which upstream a call goes to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crm_balance::{
    Client, ClientSettings, Discovery, EjectionSettings, HealthCheck, Phase, ShedSettings, Upstream, client,
};

use crate::{
    config::{CallLimits, Route, Target},
    switches::Switches,
};

/// How long an answer of DNS is believed.
const DNS_EVERY: Duration = Duration::from_secs(2);

/// One upstream and how calls get to it.
pub(crate) struct Routed {
    /// Package or full service name.
    pub(crate) key: String,
    /// Whether calls need a token.
    pub(crate) auth: bool,
    /// State, policy and events.
    pub(crate) upstream: Upstream,
    /// The client stack.
    pub(crate) client: Client,
}

impl Routed {
    /// Replicas that take calls now, and all there are.
    pub(crate) fn count_ready(&self) -> (usize, usize) {
        let replicas = self.upstream.replicas();
        (replicas.iter().filter(|replica| replica.state == Phase::Ready).count(), replicas.len())
    }
}

/// All upstreams, found by the path of a call or by name.
pub(crate) struct Table {
    all: Vec<Arc<Routed>>,
    by_key: HashMap<String, Arc<Routed>>,
}

impl Table {
    /// Connects to every upstream; must be called within a runtime.
    pub(crate) fn connect(routes: &[Route], limits: &CallLimits, switches: &Switches) -> Self {
        let all: Vec<Arc<Routed>> = routes.iter().map(|route| Arc::new(connect(route, limits, switches))).collect();
        let by_key = all.iter().map(|routed| (routed.key.clone(), Arc::clone(routed))).collect();
        Self { all, by_key }
    }

    /// The upstream that answers `/package.Service/Method`: by the service's full name, else by its package.
    pub(crate) fn find(&self, path: &str) -> Option<&Arc<Routed>> {
        let (service, _) = path.strip_prefix('/')?.split_once('/')?;
        self.find_service(service)
    }

    /// The upstream that answers a service, by full name.
    pub(crate) fn find_service(&self, service: &str) -> Option<&Arc<Routed>> {
        self.by_key.get(service).or_else(|| self.by_key.get(service.rsplit_once('.')?.0))
    }

    /// The upstream of a name, as people call it.
    pub(crate) fn find_named(&self, name: &str) -> Option<&Arc<Routed>> {
        self.all.iter().find(|routed| routed.upstream.name() == name)
    }

    /// All of them, in the order of the configuration.
    pub(crate) fn all(&self) -> &[Arc<Routed>] {
        &self.all
    }
}

fn connect(route: &Route, limits: &CallLimits, switches: &Switches) -> Routed {
    let health = if route.health { HealthCheck::default() } else { HealthCheck::Off };
    let upstream = Upstream::builder(route.upstream_name(), discovery(&route.target))
        .policy(route.policy)
        .health(health)
        .ejection(EjectionSettings { enabled: switches.ejection.clone(), ..EjectionSettings::default() })
        .build();
    let settings = ClientSettings {
        default_timeout: limits.default_timeout,
        // Which calls may take less is decided before.
        max_timeout: limits.max_stream_timeout.max(limits.max_timeout),
        shed: ShedSettings { enabled: switches.shedding.clone(), ..ShedSettings::default() },
        ..ClientSettings::default()
    };
    Routed { key: route.key.clone(), auth: route.auth, client: client(upstream.clone(), settings), upstream }
}

fn discovery(target: &Target) -> Discovery {
    match target {
        Target::Static(addresses) => Discovery::of(addresses.iter().copied()),
        Target::Dns { host, port } => Discovery::Dns { host: host.clone(), port: *port, every: DNS_EVERY },
    }
}
