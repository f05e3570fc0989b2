//! The gateway's control API, as far as the lab needs it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use crm_balance::Policy;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::gateway::UPSTREAM;
use crate::balancing::error::LabError;
use crate::balancing::toys::REPLICAS;
use crate::balancing::variant::Defence;

const PATIENCE: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 1 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Upstream {
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
struct Replica {
    ordinal: usize,
    state: String,
    ejections: u64,
}

/// How often each replica was ejected, by ordinal, which is its place in the route.
pub(in crate::balancing) async fn ejections(control: SocketAddr) -> Result<[u64; REPLICAS], LabError> {
    let mut ejections = [0; REPLICAS];
    for replica in upstream(control).await?.replicas {
        if let Some(place) = ejections.get_mut(replica.ordinal) {
            *place = replica.ejections;
        }
    }
    Ok(ejections)
}

/// Whether all replicas take calls.
pub(super) async fn is_ready(control: SocketAddr) -> bool {
    upstream(control).await.is_ok_and(|upstream| upstream.replicas.iter().all(|replica| replica.state == "ready"))
}

pub(super) async fn set_policy(control: SocketAddr, policy: Policy) -> Result<(), LabError> {
    let body = serde_json::json!({ "policy": policy.name() }).to_string();
    ask(control, Method::PUT, &format!("/upstreams/{UPSTREAM}/policy"), body).await.map(drop)
}

pub(super) async fn switch_off(control: SocketAddr, defence: Defence) -> Result<(), LabError> {
    let body = serde_json::json!({ "on": false }).to_string();
    ask(control, Method::PUT, &format!("/switches/{}", defence.name()), body).await.map(drop)
}

async fn upstream(control: SocketAddr) -> Result<Upstream, LabError> {
    let answer = ask(control, Method::GET, &format!("/upstreams/{UPSTREAM}"), String::new()).await?;
    serde_json::from_slice(&answer).map_err(|error| LabError::Control(error.to_string()))
}

pub(super) async fn ask(control: SocketAddr, method: Method, path: &str, body: String) -> Result<Bytes, LabError> {
    let asked = tokio::time::timeout(PATIENCE, exchange(control, method, path, body)).await;
    let (status, answer) = asked
        .map_err(|_| LabError::Control("no answer".to_owned()))?
        .map_err(|error| LabError::Control(error.to_string()))?;
    if status.is_success() { Ok(answer) } else { Err(LabError::Control(format!("{path}: {status}"))) }
}

async fn exchange(
    control: SocketAddr,
    method: Method,
    path: &str,
    body: String,
) -> Result<(StatusCode, Bytes), Failure> {
    let stream = TcpStream::connect(control).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", control.to_string());
    let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)))?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?;
    connection.abort();
    Ok((head.status, body.to_bytes()))
}
