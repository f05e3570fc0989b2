//! From `CRM_…` to a [`Config`].

use std::{fs, net::SocketAddr, path::PathBuf};

use crm_server::{
    config::{ConfigError, Env, OnOff, Slot},
    process::ServerSettings,
    token::Verifier,
};

use super::{Admins, CallLimits, Config, Links, Origins, PublicKeys, Routes, public_port};
use crate::pace::PaceSettings;

const KEY_FILE: &str = "CRM_TOKEN_PUBLIC_KEY_FILE";
const ROUTES: &str = "CRM_ROUTES";
const MAX_CALLS: &str = "CRM_MAX_CONCURRENT_CALLS";
const PACE_OVER: &str = "CRM_STREAM_PACE_OVER_MS";

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) public: SocketAddr,
    pub(crate) control: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
}

impl Config {
    /// Reads the environment of this process; an error names every variable that is wrong.
    pub(crate) fn from_process() -> Result<(Self, Addresses), ConfigError> {
        read(Env::from_process())
    }
}

/// How many threads the process should work with, from `CRM_WORKERS`: 1 to 256, 2 if it is absent.
///
/// Read apart from the rest, because the runtime must stand before anything else can be done.
pub fn worker_threads() -> Result<usize, ConfigError> {
    let mut env = Env::from_process();
    let workers = env.within("CRM_WORKERS", 2, 1..=256);
    env.finish().map(|()| workers)
}

fn read(mut env: Env) -> Result<(Config, Addresses), ConfigError> {
    let public: Slot<SocketAddr> = env.required("CRM_LISTEN");
    let (control, admin) = (env.optional("CRM_CONTROL_LISTEN"), env.optional("CRM_ADMIN_LISTEN"));
    let routes: Slot<Routes> = env.required(ROUTES);
    let token_keys = read_keys(&mut env);
    let calls = read_calls(&mut env);
    let server = public_port(ServerSettings::from_env(&mut env));
    let admins = env.or("CRM_REPLICA_ADMINS", Admins::default());
    let links = Links { viewer: env.optional("CRM_VIEWER_URL"), console: env.optional("CRM_CONSOLE_URL"), admins };
    let origins = env.or("CRM_CORS_ORIGINS", Origins::default());
    let OnOff(faults) = env.or("CRM_FAULTS", OnOff(false));
    let routes = routes.get();
    if let Ok(routes) = &routes {
        check_keys(&mut env, routes, token_keys.is_some());
    }
    env.finish()?;
    let routes = open_routes(routes?, token_keys.is_some());
    Ok((
        Config { routes, token_keys, calls, server, links, origins, faults },
        Addresses { public: public.get()?, control, admin },
    ))
}

fn read_keys(env: &mut Env) -> Option<PublicKeys> {
    let file: PathBuf = env.optional(KEY_FILE)?;
    let read = fs::read_to_string(&file).map_err(|error| format!("cannot be read: {}", error.kind()));
    let checked = read.and_then(|pem| Verifier::from_pem(&pem).map(|_| pem).map_err(|error| error.to_string()));
    if let Err(rule) = &checked {
        env.fault(KEY_FILE, format!("names a file of no use: {rule}"));
    }
    // There is one, so that it is not missed besides.
    Some(PublicKeys(checked.unwrap_or_default()))
}

/// Without keys nobody could be let in, and letting everybody in must be written down, route by route.
fn check_keys(env: &mut Env, routes: &Routes, has_keys: bool) {
    let needs_keys = |key: &str| key == "crm" || key.starts_with("crm.");
    let closed = routes.0.iter().filter(|route| route.auth && needs_keys(&route.key));
    for route in closed.filter(|_| !has_keys) {
        env.fault(KEY_FILE, format!("is required by the route {} (or write auth=off there)", route.key));
    }
}

/// In front of others' services only, a gateway without keys asks for no tokens.
fn open_routes(mut routes: Routes, has_keys: bool) -> Routes {
    for route in &mut routes.0 {
        route.auth &= has_keys;
    }
    routes
}

fn read_calls(env: &mut Env) -> CallLimits {
    let default = CallLimits::default();
    let calls = CallLimits {
        default_timeout: env.millis("CRM_DEFAULT_TIMEOUT_MS", default.default_timeout, 1),
        max_timeout: env.millis("CRM_MAX_TIMEOUT_MS", default.max_timeout, 1),
        max_stream_timeout: env.millis("CRM_MAX_STREAM_TIMEOUT_MS", default.max_stream_timeout, 1),
        pace: PaceSettings {
            // Of nothing a reader may take as long as he likes, and none of him is ever cut.
            bytes_per_second: env.within("CRM_STREAM_BYTES_PER_S", default.pace.bytes_per_second, 1..=1 << 40),
            over: env.millis(PACE_OVER, default.pace.over, 100),
        },
        max_concurrent_calls: env.within(MAX_CALLS, default.max_concurrent_calls, 1..=1_000_000),
        // At most what one tenant may hold.
        max_body_bytes: env.within("CRM_MAX_BODY_BYTES", default.max_body_bytes, 1..=default.max_buffered_bytes / 2),
        ..default
    };
    if calls.default_timeout > calls.max_timeout {
        env.fault("CRM_DEFAULT_TIMEOUT_MS", "must not be longer than CRM_MAX_TIMEOUT_MS");
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PEERS: &str = "peers.v1.Echo=127.0.0.1:1";
    const CUSTOMERS: &str = "crm.customers.v1=127.0.0.1:1";

    fn check(pairs: &[(&str, &str)], faults: &[&str]) {
        let found = match read(Env::from_pairs(pairs.iter().copied())) {
            Ok(_) => Vec::new(),
            Err(error) => error.faults().iter().map(|fault| fault.name).collect(),
        };
        assert_eq!(found, faults, "{pairs:?}");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        check(&[], &["CRM_LISTEN", "CRM_ROUTES"]);
        check(
            &[("CRM_LISTEN", "x"), ("CRM_ROUTES", "y"), ("CRM_CONTROL_LISTEN", "z"), ("CRM_MAX_TIMEOUT_MS", "1")],
            &["CRM_LISTEN", "CRM_CONTROL_LISTEN", "CRM_ROUTES", "CRM_DEFAULT_TIMEOUT_MS"],
        );
        let required = [("CRM_LISTEN", "127.0.0.1:0"), (ROUTES, PEERS)];
        let wrong = [
            ("CRM_MAX_BODY_BYTES", "33554433"),
            (PACE_OVER, "99"),
            ("CRM_STREAM_BYTES_PER_S", "0"),
            ("CRM_MAX_STREAM_TIMEOUT_MS", "18446744073709551615"),
            ("CRM_CORS_ORIGINS", "*"),
            ("CRM_VIEWER_URL", "http://room:hunter2@viewer.example"),
            ("CRM_CONSOLE_URL", "javascript:alert(1)"),
            (KEY_FILE, concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        ];
        let faults = [
            KEY_FILE,
            "CRM_MAX_STREAM_TIMEOUT_MS",
            "CRM_STREAM_BYTES_PER_S",
            PACE_OVER,
            "CRM_MAX_BODY_BYTES",
            "CRM_VIEWER_URL",
            "CRM_CONSOLE_URL",
            "CRM_CORS_ORIGINS",
        ];
        check(&[&required[..], &wrong].concat(), &faults);
    }

    #[test]
    fn how_long_and_how_slowly_a_stream_may_be_read_can_be_set() {
        let given = [("CRM_MAX_STREAM_TIMEOUT_MS", "5000"), ("CRM_STREAM_BYTES_PER_S", "7"), (PACE_OVER, "900")];
        let required = [("CRM_LISTEN", "127.0.0.1:0"), (ROUTES, PEERS)];
        let (config, _) = read(Env::from_pairs([&required[..], &given].concat())).expect("config");
        assert_eq!(config.calls.max_stream_timeout, Duration::from_secs(5));
        assert_eq!(config.calls.pace, PaceSettings { bytes_per_second: 7, over: Duration::from_millis(900) });
    }

    #[test]
    fn routes_of_the_platform_are_open_only_where_that_is_written() {
        let listen = ("CRM_LISTEN", "127.0.0.1:0");
        check(&[listen, (ROUTES, PEERS)], &[]);
        check(&[listen, (ROUTES, CUSTOMERS)], &[KEY_FILE]);
        check(&[listen, (ROUTES, &format!("{CUSTOMERS}|auth=off"))], &[]);
        check(&[listen, (ROUTES, PEERS), (KEY_FILE, "/nowhere/key.pem")], &[KEY_FILE]);
        let (config, _) = read(Env::from_pairs([listen, (ROUTES, PEERS)])).expect("config");
        assert!(!config.routes.0[0].auth);
    }
}
