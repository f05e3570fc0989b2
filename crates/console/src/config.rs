//! What the console is told at its start.

use std::{net::SocketAddr, str::FromStr};

pub use crm_server::config::Link;
use crm_server::config::{ConfigError, Env, NoLink, Slot};
use tokio::net::TcpListener;

/// Whom the console watches.
#[derive(Debug, Clone)]
pub struct Config {
    /// The control API of each gateway.
    pub controls: Vec<Link>,
    /// Where the console itself reaches the trace viewer.
    pub viewer: Option<Link>,
    /// Where a person's browser reaches it, if that differs.
    pub public_viewer: Option<Link>,
    /// Where a person's browser reaches a gateway: the start page and the API.
    pub gateway: Option<Link>,
    /// Names, besides `localhost` and bare addresses, under which browsers may send commands.
    pub hosts: Hosts,
}

impl Config {
    /// Watches these gateways, without a trace viewer.
    pub fn of(controls: Vec<Link>) -> Self {
        Self { controls, viewer: None, public_viewer: None, gateway: None, hosts: Hosts::default() }
    }

    /// What links to traces begin with.
    pub(crate) fn trace_base(&self) -> Option<&Link> {
        self.public_viewer.as_ref().or(self.viewer.as_ref())
    }
}

/// Sockets that the console answers on.
#[derive(Debug)]
pub struct Listeners {
    /// The page.
    pub page: TcpListener,
    /// `/healthz`, `/readyz`, `/metrics`.
    pub admin: Option<TcpListener>,
}

/// Several addresses with commas between them.
struct LinkList(Vec<Link>);

impl FromStr for LinkList {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Self, NoLink> {
        let parts = text.split(',').filter(|part| !part.trim().is_empty());
        let links: Vec<Link> = parts.map(str::parse).collect::<Result<_, _>>()?;
        if links.is_empty() { Err(NoLink) } else { Ok(Self(links)) }
    }
}

/// Host names, with commas between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl FromStr for Hosts {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        Ok(Self(names.filter(|name| !name.is_empty()).collect()))
    }
}

impl Hosts {
    /// Whether a browser may know us by this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) page: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
}

/// Reads `CRM_…`; an error names every variable that is wrong.
pub(crate) fn read(mut env: Env) -> Result<(Config, Addresses), ConfigError> {
    let page = env.or("CRM_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8000)));
    let admin = env.optional("CRM_ADMIN_LISTEN");
    let controls: Slot<LinkList> = env.required("CRM_CONTROL_URLS");
    let (viewer, public_viewer) = (env.optional("CRM_VIEWER_URL"), env.optional("CRM_PUBLIC_VIEWER_URL"));
    let gateway = env.optional("CRM_PUBLIC_GATEWAY_URL");
    let hosts = env.or("CRM_CONSOLE_HOSTS", Hosts::default());
    env.finish()?;
    let config = Config { controls: controls.get()?.0, viewer, public_viewer, gateway, hosts };
    Ok((config, Addresses { page, admin }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gateways_are_a_list_and_every_fault_is_told() {
        let (config, addresses) = read(Env::from_pairs([
            ("CRM_CONTROL_URLS", "127.0.0.1:8081, http://127.0.0.1:8082/"),
            ("CRM_VIEWER_URL", "http://viewer:16686"),
            ("CRM_PUBLIC_VIEWER_URL", "http://localhost:16686"),
        ]))
        .unwrap();
        assert_eq!(config.controls[0].to("/upstreams"), "http://127.0.0.1:8081/upstreams");
        assert_eq!(config.controls[1].short(), "127.0.0.1:8082");
        assert_eq!(config.trace_base().unwrap().to("/x"), "http://localhost:16686/x");
        assert_eq!(addresses.page.port(), 8000);

        let wrong = read(Env::from_pairs([("CRM_LISTEN", "here"), ("CRM_VIEWER_URL", "ftp://x")])).unwrap_err();
        let names: Vec<_> = wrong.faults().iter().map(|fault| fault.name).collect();
        assert_eq!(names, ["CRM_LISTEN", "CRM_CONTROL_URLS", "CRM_VIEWER_URL"]);
    }
}
