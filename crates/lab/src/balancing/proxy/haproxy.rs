//! HAProxy as its makers advise: `leastconn`, an HTTP/2 check of the gRPC health service every second, passive checks of
//! the traffic as well, redispatch to another server, retries of what provably failed. A gRPC status is no HTTP status
//! to it, so a call that fails with one is a success.

use std::path::Path;
use std::process::Command;

use super::site::{CONNECT, PER_TRY, Site};
use crate::balancing::error::LabError;

pub(super) fn command(program: &Path, site: &Site<'_>) -> Result<Command, LabError> {
    let path = site.write("haproxy.cfg", &configuration(site))?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(path);
    Ok(command)
}

fn configuration(site: &Site<'_>) -> String {
    let server = |(n, address)| format!("  server toy{n} {address} proto h2\n");
    let servers: String = site.upstreams.iter().enumerate().map(server).collect();
    format!(
        "global
  maxconn 8000
  tune.h2.max-concurrent-streams 1024
defaults
  mode http
  timeout connect {connect}ms
  timeout client 60s
  timeout server {per_try}ms
  timeout check {per_try}ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response junk-response response-timeout 0rtt-rejected 500 502 503 504
frontend public
  bind {public} proto h2
  default_backend toys
backend toys
  balance leastconn
  http-reuse always
  option httpchk
  http-check connect proto h2
  http-check send meth POST uri /grpc.health.v1.Health/Check ver HTTP/2 hdr content-type application/grpc hdr te trailers
  http-check expect status 200
  default-server check inter 1s fall 2 rise 2 observe layer7 error-limit 10 on-error mark-down
{servers}",
        public = site.public,
        connect = CONNECT.as_millis(),
        per_try = PER_TRY.as_millis(),
    )
}
