//! Which process listens where. Ports stay reserved for the platform's life, so that a restarted child gets its own back.

use std::io;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener};

use anyhow::Context;
use crm_resource::Service;
use crm_sandbox::ports::{Reserved, reserve, reserve_port};

use crate::cli::{Ports, Up};
use crate::services;

const GATEWAY: u16 = 8080;
const CONTROL: u16 = 8081;
const CONSOLE: u16 = 8000;
const VIEWER: u16 = 16686;
const OTLP: u16 = 4317;
const OTLP_HTTP: u16 = 4318;

/// Every address of the platform.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) gateways: Vec<Gateway>,
    /// Those of each service's replicas.
    pub(super) services: Vec<(&'static Service, Vec<Replica>)>,
    pub(super) viewer: Viewer,
    pub(super) console: Console,
    _held: Held,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Gateway {
    pub(super) public: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) admin: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Replica {
    pub(super) grpc: SocketAddr,
    pub(super) admin: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    pub(super) pages: SocketAddr,
    pub(super) otlp: SocketAddr,
    pub(super) otlp_http: SocketAddr,
    pub(super) admin: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    pub(super) page: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl Addresses {
    pub(super) fn reserve(options: &Up) -> anyhow::Result<Self> {
        Self::try_reserve(options).context("cannot reserve ports on 127.0.0.1")
    }

    fn try_reserve(options: &Up) -> io::Result<Self> {
        let mut held = Held { fixed: options.ports == Ports::Fixed, ports: Vec::new(), marks: Vec::new() };
        let viewer = Viewer {
            pages: held.known(VIEWER)?,
            otlp: held.known(OTLP)?,
            otlp_http: held.known(OTLP_HTTP)?,
            admin: held.free()?,
        };
        let console = Console { page: held.known(CONSOLE)?, admin: held.free()? };
        // Of several gateways the first one has the well-known ports.
        let gateway =
            |_| Ok(Gateway { public: held.known(GATEWAY)?, control: held.known(CONTROL)?, admin: held.free()? });
        let gateways = (0..options.gateways).map(gateway).collect::<io::Result<_>>()?;
        let mut replica = |_| Ok(Replica { grpc: held.free()?, admin: held.free()? });
        let mut replicas = |service| Ok((service, (0..options.replicas).map(&mut replica).collect::<io::Result<_>>()?));
        let services = services::ALL.into_iter().map(&mut replicas).collect::<io::Result<_>>()?;
        Ok(Self { gateways, services, viewer, console, _held: held })
    }
}

#[derive(Debug)]
struct Held {
    fixed: bool,
    ports: Vec<Reserved>,
    marks: Vec<UnixListener>,
}

impl Held {
    fn free(&mut self) -> io::Result<SocketAddr> {
        Ok(self.hold(reserve()?))
    }

    /// The well-known port, or a free one when somebody has it.
    fn known(&mut self, port: u16) -> io::Result<SocketAddr> {
        let wanted = if self.fixed { self.mark(port).and_then(|()| reserve_port(port)) } else { reserve() };
        match wanted {
            Ok(reserved) => Ok(self.hold(reserved)),
            Err(_) => self.free(),
        }
    }

    fn hold(&mut self, reserved: Reserved) -> SocketAddr {
        let address = reserved.address();
        self.ports.push(reserved);
        address
    }

    /// Two platforms that start at the same time would both find the port free, as neither listens yet. A name that
    /// only one process on the machine can have, and loses when it ends, decides.
    fn mark(&mut self, port: u16) -> io::Result<()> {
        let name = UnixAddr::from_abstract_name(format!("bellwether-port-{port}"))?;
        self.marks.push(UnixListener::bind_addr(&name)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cli::SeedChoice;

    fn options(ports: Ports) -> Up {
        Up { replicas: 3, gateways: 2, seed: SeedChoice::None, load: None, detach: false, ports }
    }

    fn all(addresses: &Addresses) -> Vec<SocketAddr> {
        let (viewer, console) = (addresses.viewer, addresses.console);
        let gateways = addresses.gateways.iter().flat_map(|gateway| [gateway.public, gateway.control, gateway.admin]);
        let replicas = addresses.services.iter().flat_map(|(_, replicas)| replicas);
        let services = replicas.flat_map(|replica| [replica.grpc, replica.admin]);
        [viewer.pages, viewer.otlp, viewer.otlp_http, viewer.admin]
            .into_iter()
            .chain([console.page, console.admin])
            .chain(gateways)
            .chain(services)
            .collect()
    }

    #[test]
    fn two_platforms_at_once_share_no_port_whatever_they_ask_for() {
        let (first, second) = (options(Ports::Fixed), options(Ports::Fixed));
        let platforms = [&first, &second, &options(Ports::Auto)].map(|options| Addresses::reserve(options).unwrap());
        let everything: Vec<SocketAddr> = platforms.iter().flat_map(all).collect();
        let different: HashSet<_> = everything.iter().collect();
        assert_eq!(different.len(), everything.len());
    }

    #[test]
    fn platform_on_free_ports_leaves_the_well_known_ones_alone() {
        let addresses = Addresses::reserve(&options(Ports::Auto)).unwrap();
        let known = [GATEWAY, CONTROL, VIEWER, OTLP, OTLP_HTTP];
        assert!(all(&addresses).iter().all(|address| !known.contains(&address.port())));
    }
}
