//! Calls to other services: whom a service may ask, and how it does.
//!
//! ```text
//! a constant beside what asks   Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" }
//! once, at the start            let customers = peers.client(&CUSTOMERS);
//! in a handler                  let asking = Asking::of(&request)?;
//!                               let mut accounts = AccountServiceClient::new(customers.ask(asking));
//!                               let account = accounts.get_account(message).await?;
//! then, if at all               let mut write = self.quotes.begin(Call::of(&request)?).await?;
//! ```
//!
//! A failure that comes back may be passed on as it is: it is marked, and nobody above tries it again.

mod asking;
mod call;

use std::collections::HashMap;
use std::sync::Arc;

use crm_balance::{Client, ClientSettings, Discovery, Upstream, client};
use crm_server::config::{Env, Slot};

pub use asking::Asking;
pub use call::PeerCall;

/// Another service that this one may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// As it calls itself: `customers`. In metrics and spans it is the upstream's name.
    pub name: &'static str,
    /// The setting that tells where its replicas are: `CRM_CUSTOMERS_ADDRESSES`.
    pub addresses_setting: &'static str,
}

impl Peer {
    /// Where its replicas are, as the environment says.
    pub fn addresses(&self, env: &mut Env) -> Slot<Discovery> {
        env.required(self.addresses_setting)
    }
}

/// Those that a process may ask, each over connections that all its calls share; cheap to clone.
#[derive(Clone, Default)]
pub struct Peers(Arc<HashMap<&'static str, PeerClient>>);

impl Peers {
    /// Connects to all of them; must be called within a runtime. Who is away is waited for by nobody.
    #[must_use]
    pub fn connect(peers: &[(Peer, Discovery)]) -> Self {
        let connect = |(peer, discovery): &(Peer, Discovery)| (peer.name, PeerClient::new(*peer, discovery.clone()));
        Self(Arc::new(peers.iter().map(connect).collect()))
    }

    /// Calls this one. One that the service does not say it asks has no replicas.
    #[must_use]
    pub fn client(&self, peer: &Peer) -> PeerClient {
        let nobody = || {
            tracing::error!(peer = peer.name, "the service does not name whom it asks");
            PeerClient::new(*peer, Discovery::Static(Vec::new()))
        };
        self.0.get(peer.name).cloned().unwrap_or_else(nobody)
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Calls one peer, with the policy, the health checks, the ejection and the retry budget that the gateway has.
#[derive(Clone)]
pub struct PeerClient(Client);

impl PeerClient {
    fn new(peer: Peer, discovery: Discovery) -> Self {
        let upstream = Upstream::builder(peer.name, discovery).build();
        // A caller's time is bounded where the caller came in.
        let settings = ClientSettings { max_timeout: asking::LONGEST, ..ClientSettings::default() };
        Self(client(upstream, settings))
    }

    /// What a generated client is made of, for calls on behalf of whom it is asked for.
    #[must_use]
    pub fn ask(&self, asking: Asking) -> PeerCall {
        PeerCall::new(self.0.clone(), asking)
    }

    /// Its replicas, as this process sees them.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        self.0.upstream()
    }
}

impl std::fmt::Debug for PeerClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PeerClient").field(&self.upstream().name()).finish()
    }
}
