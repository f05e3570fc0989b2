//! nginx as its makers advise for gRPC: `least_conn` over a shared zone, passive checks by `max_fails`, the next upstream
//! for what failed, connections kept. It sees HTTP, not gRPC: a status in the trailers is a success to it.

use std::path::Path;
use std::process::Command;

use super::site::{CONNECT, PER_TRY, Site};
use crate::balancing::error::LabError;
use crate::balancing::load::DEADLINE;

pub(super) fn command(program: &Path, site: &Site<'_>) -> Result<Command, LabError> {
    let path = site.write("nginx.conf", &configuration(site))?;
    let mut command = Command::new(program);
    command.arg("-p").arg(site.folder).arg("-e").arg(site.folder.join("nginx.err")).arg("-c").arg(path);
    Ok(command)
}

fn configuration(site: &Site<'_>) -> String {
    let server = |address| format!("    server {address} max_fails=1 fail_timeout=10s;\n");
    let servers: String = site.upstreams.iter().map(server).collect();
    let folder = site.folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String = temporary.iter().map(|name| format!("  {name}_temp_path {folder}/{name};\n")).collect();
    format!(
        "daemon off;
worker_processes auto;
error_log {folder}/nginx.err warn;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
{temporary}  upstream toys {{
    zone toys 256k;
    least_conn;
{servers}    keepalive 64;
    keepalive_requests 1000000;
  }}
  server {{
    listen {public} http2;
    http2_max_concurrent_streams 1024;
    keepalive_requests 1000000;
    location / {{
      grpc_pass grpc://toys;
      grpc_connect_timeout {connect}ms;
      grpc_read_timeout {per_try}ms; grpc_send_timeout {per_try}ms;
      grpc_next_upstream error timeout http_502 http_503 http_504 non_idempotent;
      grpc_next_upstream_tries 3; grpc_next_upstream_timeout {deadline}ms;
    }}
  }}
}}
",
        public = site.public,
        connect = CONNECT.as_millis(),
        per_try = PER_TRY.as_millis(),
        deadline = DEADLINE.as_millis(),
    )
}
