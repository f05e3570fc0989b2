//! The listening side: bounds of connections, the orderly end, the operators' port.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::time::Duration;

use crm_proto::customers::ExportAccountsRequest;
use crm_server::admin::serve_admin;
use crm_server::process::{ServerSettings, shutdown_signal};
use crm_server::readiness::Readiness;
use crm_server::stack::StackSettings;
use crm_server::token::Role;
use support::{Server, connect, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const SOON: Duration = Duration::from_secs(5);

async fn with(settings: ServerSettings) -> Server {
    Server::with(StackSettings::default(), settings).await
}

#[tokio::test]
async fn a_draining_server_finishes_what_it_has_begun() {
    let settings = ServerSettings { drain_grace: Duration::from_millis(100), ..ServerSettings::default() };
    let server = with(settings).await;
    let mut watch = HealthClient::with_origin(server.channel().await, server.origin())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let call = tokio::spawn({
        let (mut client, request) = (server.client().await, server.get("slow"));
        async move { client.get_account(request).await }
    });
    timeout(SOON, server.slow_has_begun.notified()).await.unwrap();

    server.shutdown.cancel();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(!server.readiness.is_ready());
    assert_eq!(call.await.unwrap().unwrap().get_ref().name, "slow");
    // The watch has no end of its own: were it not ended, the drain would take its whole time-out.
    timeout(SOON, server.done).await.unwrap().unwrap().unwrap();
    assert!(connect(server.address).await.is_err());
}

#[tokio::test]
async fn calls_are_still_taken_during_the_grace() {
    let settings = ServerSettings { drain_grace: Duration::from_secs(1), ..ServerSettings::default() };
    let server = with(settings).await;
    server.shutdown.cancel();
    within(|| async { !server.readiness.is_ready() }).await;
    server.client().await.get_account(server.get("who")).await.unwrap();
    timeout(SOON, server.done).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let settings = ServerSettings {
        drain_grace: Duration::ZERO,
        drain_timeout: Duration::from_millis(100),
        ..ServerSettings::default()
    };
    let server = with(settings).await;
    let request = server.request(Role::Agent, ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false });
    let mut stream = server.client().await.export_accounts(request).await.unwrap().into_inner();
    server.shutdown.cancel();
    timeout(SOON, server.done).await.unwrap().unwrap().unwrap();
    stream.message().await.unwrap();
    assert!(stream.message().await.is_err());
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let settings = ServerSettings { header_timeout: Duration::from_millis(300), ..ServerSettings::default() };
    let server = with(settings.clone()).await;
    for begin in [&b""[..], b"PRI * HTTP"] {
        let mut silent = TcpStream::connect(server.address).await.unwrap();
        silent.write_all(begin).await.unwrap();
        let mut rest = Vec::new();
        let _ = timeout(SOON, silent.read_to_end(&mut rest)).await.expect("closed by the server");
    }
    // One that has shown what it speaks may stay silent.
    let mut client = server.client().await;
    tokio::time::sleep(2 * settings.header_timeout).await;
    client.get_account(server.get("who")).await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_slot() {
    let server = with(ServerSettings { max_connections: 1, ..ServerSettings::default() }).await;
    let first = server.channel().await;
    let second = tokio::spawn({
        let (address, request, origin) = (server.address, server.get("who"), server.origin());
        async move {
            let channel = connect(address).await.unwrap();
            let mut client =
                crm_proto::customers::account_service_client::AccountServiceClient::with_origin(channel, origin);
            client.get_account(request).await
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    drop(first);
    timeout(SOON, second).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_old_connection_is_asked_to_go_away() {
    // Half of a slow call, and long enough for a loaded machine to begin one on a fresh connection.
    let settings = ServerSettings { max_connection_age: Some(support::SLOW / 2), ..ServerSettings::default() };
    let server = with(settings).await;
    let mut client = server.client().await;
    client.get_account(server.get("slow")).await.expect("a call that outlives the age is finished");
    within(|| async { client.clone().get_account(server.get("who")).await.is_err() }).await;
    server.client().await.get_account(server.get("who")).await.unwrap();
}

#[tokio::test]
async fn http_1_is_spoken_only_where_it_is_allowed() {
    use crm_server::process::{Protocol, serve};
    let service = tower::service_fn(|_: http::Request<tonic::body::Body>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(tonic::body::Body::empty()))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let settings = ServerSettings { protocol: Protocol::Any, drain_grace: Duration::ZERO, ..ServerSettings::default() };
    let stop = shutdown.clone();
    let done = tokio::spawn(async move {
        let service = tower::util::BoxCloneSyncService::new(service);
        serve(&settings, listener, service, Readiness::alone(), stop).await
    });
    assert!(fetch(address, "/").await.starts_with("HTTP/1.1 200"));
    connect(address).await.expect("HTTP/2 on the same port");
    shutdown.cancel();
    timeout(SOON, done).await.unwrap().unwrap().unwrap();

    let grpc = Server::start().await;
    assert!(!fetch(grpc.address, "/").await.starts_with("HTTP/1.1 200"));
}

async fn fetch(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A server that does not speak HTTP/1 answers in HTTP/2 and hangs up.
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    answer.push_str(&String::from_utf8_lossy(&bytes));
    answer
}

#[tokio::test]
async fn operators_see_life_readiness_and_metrics() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (readiness, shutdown) = (Readiness::alone(), CancellationToken::new());
    let done = tokio::spawn(serve_admin(listener, readiness.clone(), shutdown.clone()));
    assert!(fetch(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(fetch(address, "/readyz").await.starts_with("HTTP/1.1 503"));
    readiness.set(true);
    assert!(fetch(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    crm_telemetry::metrics::counter(&crm_telemetry::names::SERVER_PANICS).add(0, &[]);
    let metrics = fetch(address, "/metrics").await;
    assert!(
        metrics.contains("text/plain; version=0.0.4") && metrics.contains("# TYPE crm_server_panics_total counter")
    );
    assert!(fetch(address, "/secrets").await.starts_with("HTTP/1.1 404"));
    shutdown.cancel();
    timeout(SOON, done).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn sigterm_asks_the_process_to_stop() {
    let shutdown = shutdown_signal();
    assert!(!shutdown.is_cancelled());
    assert!(std::process::Command::new("/bin/sh").args(["-c", "kill -TERM $PPID"]).status().unwrap().success());
    timeout(SOON, shutdown.cancelled()).await.unwrap();
}
