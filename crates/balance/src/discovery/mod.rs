//! Where endpoints come from: a list, or a name that is asked again and again.

mod dns;

use std::net::SocketAddr;
use std::str::FromStr;
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

/// How long an answer of DNS is believed, where nobody says otherwise.
const EVERY: Duration = Duration::from_secs(2);

/// Addresses that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be IP:PORT, several of them with commas between, or dns:HOST:PORT")]
pub struct UnknownDiscovery;

/// As settings spell it: `10.0.0.1:50051,10.0.0.2:50051`, or `dns:customers:50051`.
impl FromStr for Discovery {
    type Err = UnknownDiscovery;

    fn from_str(text: &str) -> Result<Self, UnknownDiscovery> {
        if let Some(name) = text.strip_prefix("dns:") {
            let (host, port) = name.rsplit_once(':').ok_or(UnknownDiscovery)?;
            let port = port.parse().ok().filter(|port| *port != 0).ok_or(UnknownDiscovery)?;
            let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            let is_named = !host.is_empty() && host.chars().all(is_host);
            return if is_named {
                Ok(Self::Dns { host: host.to_owned(), port, every: EVERY })
            } else {
                Err(UnknownDiscovery)
            };
        }
        let addresses: Result<Vec<SocketAddr>, _> = text.split(',').map(|address| address.trim().parse()).collect();
        addresses.map(Self::of).map_err(|_| UnknownDiscovery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_settings_spell_them() {
        let read = |text: &str| text.parse::<Discovery>();
        let Ok(Discovery::Static(endpoints)) = read("127.0.0.1:1, [::1]:2") else { panic!() };
        assert_eq!(endpoints, [Endpoint::new("127.0.0.1:1"), Endpoint::new("[::1]:2")]);
        let Ok(Discovery::Dns { host, port, .. }) = read("dns:customers:50051") else { panic!() };
        assert_eq!((host.as_str(), port), ("customers", 50051));
        for wrong in
            ["", "customers:50051", "127.0.0.1", "127.0.0.1:1,", "dns:", "dns:a", "dns::1", "dns:a b:1", "dns:a:0"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
