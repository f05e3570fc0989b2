//! Where endpoints come from: a list, or a name that is asked again and again.

mod dns;

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use dns::follow;
pub use dns::{Resolve, SystemResolver};

/// One address that answers calls, as discovery tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`; a host name is looked up at each connect.
    pub address: String,
    /// Its part under `weighted_round_robin`, relative to the others; 1 unless told otherwise, never 0.
    pub weight: u32,
}

impl Endpoint {
    /// An endpoint of weight 1.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), weight: 1 }
    }

    /// The same with another weight; 0 is taken as 1, for an endpoint that should get nothing should not be listed.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }
}

impl From<&str> for Endpoint {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.to_string())
    }
}

/// Where an upstream's endpoints come from.
#[derive(Debug, Clone)]
pub enum Discovery {
    /// These and no others.
    Static(Vec<Endpoint>),
    /// All addresses of a name, asked again on an interval.
    Dns {
        /// The name.
        host: String,
        /// The port at each address.
        port: u16,
        /// How long an answer is believed.
        every: Duration,
    },
}

impl Discovery {
    /// A fixed list: `Discovery::of(["127.0.0.1:50051", "127.0.0.1:50052"])`.
    pub fn of<E: Into<Endpoint>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        Self::Static(endpoints.into_iter().map(Into::into).collect())
    }
}
