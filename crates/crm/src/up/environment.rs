//! The environment of each role: the whole of its configuration.

use super::addresses::{Addresses, Gateway, Service};
use super::stores::Urls;
use super::unit::Unit;
use crate::keys;
use crate::places::Places;

/// Secrets of the supervisor that no child needs, besides what would point a child at another platform.
const HIDDEN: &[&str] = &[
    "CRM_DATABASE_URL",
    "CRM_REDIS_URL",
    "CRM_CUSTOMERS_DATABASE_URL",
    "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE",
    "CRM_TOKEN_PRIVATE_KEY_FILE",
    "CRM_ROUTES",
    "CRM_GATEWAY",
    "CRM_REPLICA",
];

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
    let environment = vec![
        ("CRM_LISTEN", console.page.to_string()),
        ("CRM_ADMIN_LISTEN", console.admin.to_string()),
        ("CRM_CONTROL_URLS", controls.join(",")),
        ("CRM_VIEWER_URL", format!("http://{}", addresses.viewer.pages)),
    ];
    serving(places, "console", 0, environment, (console.page, console.admin))
}

pub(super) fn gateway(places: &Places, addresses: &Addresses, replica: u16, gateway: Gateway) -> Unit {
    let customers: Vec<String> = addresses.customers.iter().map(|service| service.grpc.to_string()).collect();
    let admins: Vec<String> =
        addresses.customers.iter().map(|service| format!("{}={}", service.grpc, service.admin)).collect();
    let mut environment = vec![
        ("CRM_REPLICA_ADMINS", admins.join(",")),
        ("CRM_LISTEN", gateway.public.to_string()),
        ("CRM_CONTROL_LISTEN", gateway.control.to_string()),
        ("CRM_ADMIN_LISTEN", gateway.admin.to_string()),
        ("CRM_ROUTES", format!("crm.customers.v1={}", customers.join(","))),
        ("CRM_VIEWER_URL", format!("http://{}", addresses.viewer.pages)),
    ];
    environment.extend(shared(places, addresses, "gateway", replica));
    serving(places, "gateway", replica, environment, (gateway.public, gateway.admin))
}

pub(super) fn customers(places: &Places, addresses: &Addresses, replica: u16, service: Service, urls: &Urls) -> Unit {
    let mut environment = vec![
        ("CRM_LISTEN", service.grpc.to_string()),
        ("CRM_ADMIN_LISTEN", service.admin.to_string()),
        ("CRM_CUSTOMERS_DATABASE_URL", urls.customers.clone()),
        ("CRM_REDIS_URL", urls.redis.clone()),
    ];
    environment.extend(shared(places, addresses, "customers", replica));
    serving(places, "customers", replica, environment, (service.grpc, service.admin))
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
        hidden: HIDDEN,
        log: Unit::log_path(places, "load", 0),
    }
}

/// What the command that seeds this platform must not take from the supervisor's environment.
pub(super) fn hidden() -> &'static [&'static str] {
    HIDDEN
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
        hidden: HIDDEN,
        log: Unit::log_path(places, role, replica),
    }
}
