//! Envoy as its makers advise: `LEAST_REQUEST`, gRPC health checks, outlier detection, retries on another host within a
//! budget. Its defaults stand but where they are made for more hosts than four, or for less than one check a minute.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::site::{CONNECT, PER_TRY, Site};
use crate::balancing::error::LabError;
use crate::balancing::load::DEADLINE;

const HTTP: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const PREVIOUS: &str = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";

pub(super) fn command(program: &Path, site: &Site<'_>) -> Result<Command, LabError> {
    let path = site.write("envoy.json", &configuration(site).to_string())?;
    let mut command = Command::new(program);
    command.arg("-c").arg(path).args(["--log-level", "error", "--use-dynamic-base-id"]);
    Ok(command)
}

fn configuration(site: &Site<'_>) -> Value {
    json!({ "static_resources": { "listeners": [listener(site)], "clusters": [cluster(site)] } })
}

fn address(address: &SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

fn seconds(duration: std::time::Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

fn listener(site: &Site<'_>) -> Value {
    let route = json!({
        "match": { "prefix": "/" },
        "route": { "cluster": "toys", "timeout": seconds(DEADLINE), "retry_policy": retry_policy() },
    });
    let manager = json!({
        "@type": HTTP,
        "stat_prefix": "public",
        "codec_type": "HTTP2",
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [route] }] },
        "http_filters": [{ "name": "envoy.filters.http.router", "typed_config": { "@type": ROUTER } }],
    });
    let filter = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    json!({ "address": address(&site.public), "filter_chains": [{ "filters": [filter] }] })
}

fn retry_policy() -> Value {
    json!({
        "retry_on": "connect-failure,refused-stream,reset,gateway-error,unavailable",
        "num_retries": 2,
        "per_try_timeout": seconds(PER_TRY),
        "retry_host_predicate": [{ "name": "envoy.retry_host_predicates.previous_hosts", "typed_config": { "@type": PREVIOUS } }],
        "host_selection_retry_max_attempts": 5,
    })
}

fn cluster(site: &Site<'_>) -> Value {
    let endpoints: Vec<Value> =
        site.upstreams.iter().map(|upstream| json!({ "endpoint": { "address": address(upstream) } })).collect();
    let http2 = json!({ "@type": format!("type.googleapis.com/{OPTIONS}"), "explicit_http_config": { "http2_protocol_options": {} } });
    json!({
        "name": "toys",
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "connect_timeout": seconds(CONNECT),
        "typed_extension_protocol_options": { OPTIONS: http2 },
        "load_assignment": { "cluster_name": "toys", "endpoints": [{ "lb_endpoints": endpoints }] },
        "health_checks": [{
            "timeout": "0.5s", "interval": "1s", "no_traffic_interval": "1s",
            "unhealthy_threshold": 2, "healthy_threshold": 1, "grpc_health_check": {},
        }],
        // By default a tenth of the hosts may be out, and rates are judged among five or more.
        "outlier_detection": {
            "interval": "1s", "max_ejection_percent": 50,
            "success_rate_minimum_hosts": 3, "success_rate_request_volume": 50,
            "enforcing_failure_percentage": 100, "failure_percentage_minimum_hosts": 3,
            "failure_percentage_request_volume": 30, "failure_percentage_threshold": 15,
        },
        "circuit_breakers": { "thresholds": [{
            "max_requests": 4096, "max_pending_requests": 4096,
            "retry_budget": { "budget_percent": { "value": 20.0 }, "min_retry_concurrency": 10 },
        }] },
    })
}
