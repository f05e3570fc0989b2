//! `CRM_ROUTES`: which upstream answers which package or service.
//!
//! ```text
//! routes   = route *(";" route)
//! route    = key "=" targets *("|" option)
//! key      = a package ("crm.customers.v1") or a full service name ("peers.v1.Echo")
//! targets  = address *("," address) / "dns:" host ":" port
//! option   = "policy=" name / "auth=" on-off / "health=" on-off
//! ```

use std::{collections::HashSet, fmt, net::SocketAddr, str::FromStr};

use crm_balance::Policy;

/// All routes of one gateway, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Routes(pub Vec<Route>);

/// One upstream and the package or service that it answers.
#[derive(Debug, Clone)]
pub struct Route {
    /// Package or full service name.
    pub key: String,
    /// Where its replicas are.
    pub target: Target,
    /// How a replica is chosen.
    pub policy: Policy,
    /// Whether a call needs a token.
    pub auth: bool,
    /// Whether replicas are asked for their health.
    pub health: bool,
}

/// Where the replicas of an upstream are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// These, for as long as the gateway runs.
    Static(Vec<SocketAddr>),
    /// All addresses of this name, asked for again and again.
    Dns {
        /// Name to resolve.
        host: String,
        /// Port that every address listens on.
        port: u16,
    },
}

/// Every fault of a `CRM_ROUTES`, not only its first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutesError(pub Vec<String>);

impl fmt::Display for RoutesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for RoutesError {}

impl Route {
    /// Name of the upstream in metrics and the control API: the last part of the key that is not a version,
    /// so `customers` for `crm.customers.v1` and `Echo` for `peers.v1.Echo`.
    pub fn upstream_name(&self) -> &str {
        self.key.rsplit('.').find(|part| !is_version(part)).unwrap_or(&self.key)
    }

    fn new(key: &str, target: Target) -> Self {
        Self { key: key.to_owned(), target, policy: Policy::PeakEwma, auth: true, health: true }
    }
}

impl FromStr for Routes {
    type Err = RoutesError;

    fn from_str(text: &str) -> Result<Self, RoutesError> {
        let (mut routes, mut faults) = (Vec::new(), Vec::new());
        for written in text.split(';').map(str::trim).filter(|route| !route.is_empty()) {
            routes.extend(parse_route(written, &mut faults));
        }
        if routes.is_empty() && faults.is_empty() {
            faults.push("names no route: write KEY=ADDRESS".to_owned());
        }
        find_duplicates(&routes, &mut faults);
        if faults.is_empty() { Ok(Self(routes)) } else { Err(RoutesError(faults)) }
    }
}

fn parse_route(written: &str, faults: &mut Vec<String>) -> Option<Route> {
    let Some((key, rest)) = written.split_once('=') else {
        faults.push(format!("route `{written}`: no `=` between key and addresses"));
        return None;
    };
    let key = key.trim();
    if !is_key(key) {
        faults.push(format!("route `{key}`: the key must be a package or a service name such as crm.customers.v1"));
    }
    if is_internal(key) {
        faults.push(format!("route `{key}`: what the gateway itself asks of replicas is not forwarded"));
    }
    let mut parts = rest.split('|').map(str::trim);
    let target = parse_target(key, parts.next().unwrap_or_default(), faults)?;
    let mut route = Route::new(key, target);
    for option in parts {
        apply_option(&mut route, option, faults);
    }
    Some(route)
}

fn parse_target(key: &str, text: &str, faults: &mut Vec<String>) -> Option<Target> {
    if let Some(name) = text.strip_prefix("dns:") {
        return parse_dns(key, name, faults);
    }
    let mut addresses = Vec::new();
    for address in text.split(',').map(str::trim) {
        match address.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => faults.push(format!("route `{key}`: `{address}` is neither IP:PORT nor dns:HOST:PORT")),
        }
    }
    (!addresses.is_empty()).then_some(Target::Static(addresses))
}

fn parse_dns(key: &str, name: &str, faults: &mut Vec<String>) -> Option<Target> {
    let parsed = name.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parsed {
        Some((host, port)) if is_host(host) && port != 0 => Some(Target::Dns { host: host.to_owned(), port }),
        _ => {
            faults.push(format!("route `{key}`: `dns:{name}` is not dns:HOST:PORT"));
            None
        }
    }
}

fn apply_option(route: &mut Route, option: &str, faults: &mut Vec<String>) {
    let key = route.key.clone();
    match option.split_once('=') {
        Some(("policy", name)) => match name.parse() {
            Ok(policy) => route.policy = policy,
            Err(error) => faults.push(format!("route `{key}`: {error}")),
        },
        Some(("auth", value)) => set_switch(&mut route.auth, &key, option, value, faults),
        Some(("health", value)) => set_switch(&mut route.health, &key, option, value, faults),
        _ => faults.push(format!("route `{key}`: unknown option `{option}` (there are policy, auth, health)")),
    }
}

fn set_switch(switch: &mut bool, key: &str, option: &str, value: &str, faults: &mut Vec<String>) {
    match value {
        "on" => *switch = true,
        "off" => *switch = false,
        _ => faults.push(format!("route `{key}`: `{option}` must be on or off")),
    }
}

/// Two routes of one key would be a coin toss; two of one upstream name, one row for two in every table.
fn find_duplicates(routes: &[Route], faults: &mut Vec<String>) {
    let (mut keys, mut names) = (HashSet::new(), HashSet::new());
    for route in routes {
        if !keys.insert(route.key.as_str()) {
            faults.push(format!("route `{}`: written twice", route.key));
        } else if !names.insert(route.upstream_name()) {
            faults.push(format!("route `{}`: another upstream is called {}, too", route.key, route.upstream_name()));
        }
    }
}

fn is_key(key: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    key.split('.').all(is_part)
}

/// A caller from outside must not reach what breaks a replica.
fn is_internal(key: &str) -> bool {
    key == "crm.server" || key.starts_with("crm.server.")
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_faults(text: &str, expected: &[&str]) {
        let RoutesError(faults) = text.parse::<Routes>().expect_err(text);
        assert_eq!(faults.len(), expected.len(), "{text}: {faults:?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{text}: `{fault}` lacks `{part}`");
        }
    }

    #[test]
    fn routes_of_the_contract_are_read() {
        let text = "crm.customers.v1=127.0.0.1:1,127.0.0.1:2;peers.v1.Echo=dns:customers:50051|policy=random|auth=off|health=off";
        let Routes(routes) = text.parse().expect("routes");
        assert_eq!(routes[0].upstream_name(), "customers");
        assert!(routes[0].auth && routes[0].health);
        assert_eq!(routes[0].target, Target::Static(vec![([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into()]));
        assert_eq!(routes[1].upstream_name(), "Echo");
        assert_eq!(routes[1].target, Target::Dns { host: "customers".into(), port: 50051 });
        assert!(!routes[1].auth && !routes[1].health);
        assert_eq!(routes[1].policy.to_string(), "random");
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        check_faults("", &["names no route"]);
        check_faults("nonsense", &["no `=`"]);
        check_faults("a b=127.0.0.1:1", &["package or a service name"]);
        check_faults("crm.server.v1=127.0.0.1:1;crm.server.v1.FaultService=127.0.0.1:1", &["not forwarded"; 2]);
        check_faults("a.v1=localhost:1", &["neither IP:PORT"]);
        check_faults("a.v1=dns:host", &["dns:HOST:PORT"]);
        check_faults("a.v1=127.0.0.1:1|auth=maybe|colour=red", &["on or off", "unknown option"]);
        check_faults("a.v1=127.0.0.1:1|policy=best", &["must be one of random"]);
        check_faults("a.v1=127.0.0.1:1;a.v1=127.0.0.1:2", &["written twice"]);
        check_faults("a.v1=127.0.0.1:1;a.v2=127.0.0.1:2", &["another upstream is called a"]);
        check_faults("a.v1=x:1,127.0.0.1:2,y;b.v1=dns:;c", &["x:1", "`y`", "dns:", "no `=`"]);
    }
}
