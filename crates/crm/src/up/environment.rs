//! The environment of each role: the whole of its configuration.

use crm_resource::Service;
use crm_resource::peers::Peer;

use super::addresses::{Addresses, Gateway, Replica};
use super::stores::Urls;
use super::unit::Unit;
use crate::keys;
use crate::places::Places;
use crate::services;

/// Secrets of the supervisor that no child needs, besides what would point a child at another platform.
pub(super) fn hidden() -> Vec<&'static str> {
    let own = services::storages().flat_map(|(_, store)| [store.url_setting, store.password_file_setting]);
    let all =
        ["CRM_DATABASE_URL", "CRM_REDIS_URL", "CRM_TOKEN_PRIVATE_KEY_FILE", "CRM_ROUTES", "CRM_GATEWAY", "CRM_REPLICA"];
    let services = [keys::SERVICE_PRIVATE_KEY_FILE, keys::SERVICE_PUBLIC_KEY_FILE];
    let peers = services::ALL.into_iter().flat_map(|service| service.asks).map(|peer| peer.addresses_setting);
    all.into_iter().chain(services).chain(peers).chain(own).collect()
}

pub(super) fn viewer(places: &Places, addresses: &Addresses) -> Unit {
    let viewer = addresses.viewer;
    let environment = vec![
        ("CRM_LISTEN", viewer.pages.to_string()),
        ("CRM_OTLP_LISTEN", viewer.otlp.to_string()),
        ("CRM_OTLP_HTTP_LISTEN", viewer.otlp_http.to_string()),
        ("CRM_ADMIN_LISTEN", viewer.admin.to_string()),
    ];
    serving(places, "trace-viewer", 0, environment, (viewer.pages, viewer.admin))
}

pub(super) fn console(places: &Places, addresses: &Addresses) -> Unit {
    let console = addresses.console;
    let controls: Vec<String> =
        addresses.gateways.iter().map(|gateway| format!("http://{}", gateway.control)).collect();
    let mut environment = vec![
        ("CRM_LISTEN", console.page.to_string()),
        ("CRM_ADMIN_LISTEN", console.admin.to_string()),
        ("CRM_CONTROL_URLS", controls.join(",")),
        ("CRM_VIEWER_URL", format!("http://{}", addresses.viewer.pages)),
    ];
    // All of them answer alike.
    let gateway = addresses.gateways.first();
    environment.extend(gateway.map(|gateway| ("CRM_PUBLIC_GATEWAY_URL", format!("http://{}", gateway.public))));
    serving(places, "console", 0, environment, (console.page, console.admin))
}

pub(super) fn gateway(places: &Places, addresses: &Addresses, replica: u16, gateway: Gateway) -> Unit {
    let replicas = addresses.services.iter().flat_map(|(_, replicas)| replicas);
    let admins: Vec<String> = replicas.map(|replica| format!("{}={}", replica.grpc, replica.admin)).collect();
    let routes: Vec<String> = addresses.services.iter().map(|(service, replicas)| route(service, replicas)).collect();
    let mut environment = vec![
        ("CRM_REPLICA_ADMINS", admins.join(",")),
        ("CRM_LISTEN", gateway.public.to_string()),
        ("CRM_CONTROL_LISTEN", gateway.control.to_string()),
        ("CRM_ADMIN_LISTEN", gateway.admin.to_string()),
        ("CRM_ROUTES", routes.join(";")),
        ("CRM_VIEWER_URL", format!("http://{}", addresses.viewer.pages)),
        ("CRM_CONSOLE_URL", format!("http://{}", addresses.console.page)),
    ];
    environment.extend(shared(places, addresses, "gateway", replica));
    serving(places, "gateway", replica, environment, (gateway.public, gateway.admin))
}

fn route(service: &Service, replicas: &[Replica]) -> String {
    format!("{}={}", service.package, joined(replicas))
}

fn joined(replicas: &[Replica]) -> String {
    let addresses: Vec<String> = replicas.iter().map(|replica| replica.grpc.to_string()).collect();
    addresses.join(",")
}

/// Where those are whom a service asks, and the key by which it asks them when nobody calls it.
fn asking(places: &Places, addresses: &Addresses, peers: &[Peer]) -> Vec<(&'static str, String)> {
    let key = (!peers.is_empty())
        .then(|| (keys::SERVICE_PRIVATE_KEY_FILE, keys::service_private_key(places).display().to_string()));
    let replicas = |peer: &Peer| addresses.services.iter().find(|(service, _)| service.name == peer.name);
    let found = peers.iter().filter_map(|peer| Some((peer.addresses_setting, joined(&replicas(peer)?.1))));
    found.chain(key).collect()
}

/// One replica of a service.
pub(super) fn service(
    places: &Places,
    addresses: &Addresses,
    (service, number, replica): (&Service, u16, Replica),
    urls: &Urls,
) -> Unit {
    let mut environment = vec![
        ("CRM_LISTEN", replica.grpc.to_string()),
        ("CRM_ADMIN_LISTEN", replica.admin.to_string()),
        // The gateway has neither: nobody from outside is a service.
        (keys::SERVICE_PUBLIC_KEY_FILE, keys::service_public_key(places).display().to_string()),
    ];
    if let Some((store, url)) = service.storage().zip(urls.databases.get(service.name)) {
        environment.extend([(store.url_setting, url.clone()), ("CRM_REDIS_URL", urls.redis.clone())]);
    }
    environment.extend(asking(places, addresses, service.asks));
    environment.extend(shared(places, addresses, service.name, number));
    serving(places, service.name, number, environment, (replica.grpc, replica.admin))
}

/// A scenario that goes on for as long as the platform does.
pub(super) fn load(places: &Places, scenario: &str) -> Unit {
    let folder = places.root().display().to_string();
    let arguments = ["load", scenario, "--forever", "--dir", &folder].map(str::to_owned).to_vec();
    Unit {
        role: "load",
        replica: 0,
        address: None,
        admin: None,
        arguments,
        environment: Vec::new(),
        hidden: hidden(),
        log: Unit::log_path(places, "load", 0),
    }
}

/// A collector of the user's own goes before the viewer.
fn shared(places: &Places, addresses: &Addresses, role: &str, replica: u16) -> Vec<(&'static str, String)> {
    const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const FAULTS: &str = "CRM_FAULTS";
    // Empty means unset, as OpenTelemetry has it.
    let theirs = std::env::var(COLLECTOR).ok().filter(|endpoint| !endpoint.trim().is_empty());
    let collector = theirs.unwrap_or_else(|| format!("http://{}", addresses.viewer.otlp));
    vec![
        (COLLECTOR, collector),
        ("OTEL_SERVICE_NAME", role.to_owned()),
        // This platform is there to be broken, and its ports are of this machine alone.
        (FAULTS, std::env::var(FAULTS).unwrap_or_else(|_| "on".to_owned())),
        ("CRM_REPLICA", replica.to_string()),
        ("CRM_TOKEN_PUBLIC_KEY_FILE", keys::public_key(places).display().to_string()),
    ]
}

fn serving(
    places: &Places,
    role: &'static str,
    replica: u16,
    environment: Vec<(&'static str, String)>,
    (address, admin): (std::net::SocketAddr, std::net::SocketAddr),
) -> Unit {
    Unit {
        role,
        replica,
        address: Some(address),
        admin: Some(admin),
        arguments: vec!["serve".to_owned(), role.to_owned()],
        environment,
        hidden: hidden(),
        log: Unit::log_path(places, role, replica),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Ports, SeedChoice, Up};

    fn addresses() -> Addresses {
        let ports = Ports::Auto;
        Addresses::reserve(&Up { replicas: 2, gateways: 1, seed: SeedChoice::None, load: None, detach: false, ports })
            .unwrap()
    }

    #[test]
    fn a_service_is_told_where_those_are_whom_it_asks_and_gets_a_key() {
        let (places, addresses) = (Places::new(Some("/somewhere".into())), addresses());
        let peer = Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" };
        let nobody = Peer { name: "nobody", addresses_setting: "CRM_NOBODY_ADDRESSES" };
        let [one, other] = &addresses.services[0].1[..] else { panic!() };
        let key = (keys::SERVICE_PRIVATE_KEY_FILE, "/somewhere/keys/service-private.pem".to_owned());
        let expected = [(peer.addresses_setting, format!("{},{}", one.grpc, other.grpc)), key];
        assert_eq!(asking(&places, &addresses, &[peer, nobody]), expected);
        assert!(asking(&places, &addresses, &[]).is_empty(), "who asks nobody needs none");
    }

    /// Neither of its own nor by the supervisor's environment.
    #[test]
    fn the_gateway_gets_no_key_of_services() {
        let (places, addresses) = (Places::new(Some("/somewhere".into())), addresses());
        let unit = gateway(&places, &addresses, 0, addresses.gateways[0]);
        for name in [keys::SERVICE_PRIVATE_KEY_FILE, keys::SERVICE_PUBLIC_KEY_FILE] {
            assert!(unit.environment.iter().all(|(set, _)| *set != name) && unit.hidden.contains(&name), "{name}");
        }
    }
}
