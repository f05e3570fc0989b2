//! What one dead endpoint of four costs a caller: tonic's own balanced channel beside this crate's client, over the same
//! sockets. `cargo test -p crm-balance --test stock_balancer -- --nocapture` prints the figures.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;

use crm_balance::{ClientSettings, Discovery, Policy, Upstream, client};
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const CALLS: usize = 2_000;
const AT_ONCE: usize = 8;

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    tokio::spawn(Server::builder().add_service(health).serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// An address where nobody listens.
async fn dead() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn failures<R, E>(call: impl AsyncFn() -> Result<R, E>) -> usize {
    let results = stream::iter(0..CALLS).map(|_| call()).buffer_unordered(AT_ONCE);
    results.filter(|result| std::future::ready(result.is_err())).count().await
}

fn percent(failed: usize) -> f64 {
    100.0 * failed as f64 / CALLS as f64
}

#[tokio::test]
async fn one_dead_endpoint_of_four_fails_calls_of_the_stock_balancer_and_none_of_ours() {
    let addresses = [serve().await, serve().await, serve().await, dead().await];

    let endpoints = addresses.map(|it| Channel::from_shared(format!("http://{it}")).unwrap());
    let stock = HealthClient::new(Channel::balance_list(endpoints.into_iter()));
    let stock_failed = failures(async || stock.clone().check(HealthCheckRequest::default()).await).await;

    let list = Discovery::of(addresses);
    println!("one of four endpoints dead, {CALLS} calls, {AT_ONCE} at a time: failed");
    println!("  tonic's Channel::balance_list  {:5.1} %", percent(stock_failed));
    for policy in Policy::ALL {
        let upstream = Upstream::builder("health", list.clone()).policy(policy).build();
        let ours = HealthClient::new(client(upstream, ClientSettings::default()));
        let failed = failures(async || ours.clone().check(HealthCheckRequest::default()).await).await;
        println!("  {:29}  {:5.1} %", policy.name(), percent(failed));
        assert_eq!(failed, 0, "{policy}");
    }
    assert!(stock_failed > 0, "the stock balancer has learned it: say so in the README");
}
