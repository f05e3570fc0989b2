//! `crm probe`: a health check for images that have neither a shell nor curl.

use std::net::SocketAddr;

use ::http::Method;

use crate::failure::Failure;
use crate::http;

pub(crate) async fn ready(admin: SocketAddr) -> Result<(), Failure> {
    let admin = local(admin).to_string();
    let answer = http::send(&admin, Method::GET, "/readyz", serde_json::Value::Null).await?;
    if answer.status.is_success() { Ok(()) } else { Err(Failure::Check(answer.message())) }
}

/// A process that listens everywhere is asked on loopback.
fn local(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
