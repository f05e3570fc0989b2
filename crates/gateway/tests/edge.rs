//! Connections: kept alive, bounded, and let go in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use crm_proto::customers::{self as pb, account_service_client::AccountServiceClient};
use http::{Method, StatusCode};
use support::{Rig, eventually, wire, wire::Grpc, with_token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn http1_connections_are_kept_alive() {
    let rig = Rig::start().await;
    let mut connection = wire::http1_connection(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    for _ in 0..10 {
        let headers = [("authorization", bearer.as_str())];
        let answer = wire::rest_on(&mut connection, Method::GET, "/v1/accounts/7", &headers, "").await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// Sends `bytes` and nothing more; waits for the gateway to hang up.
async fn is_hung_up_on(rig: &Rig, bytes: &[u8]) {
    let mut stream = TcpStream::connect(rig.public).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let ended = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "still open after {:?}", String::from_utf8_lossy(bytes));
}

#[tokio::test]
async fn connections_that_never_finish_a_header_are_closed() {
    let rig = Rig::start_with(1, |config| config.server.header_timeout = Duration::from_millis(1500)).await;
    tokio::join!(
        is_hung_up_on(&rig, b""),
        is_hung_up_on(&rig, b"PRI * HTTP/2"),
        is_hung_up_on(&rig, b"GET /v1/accounts HTTP/1.1\r\nhost: gateway.localhost\r\nx-slow: "),
    );
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let rig = Rig::start().await;
    let large = "x".repeat(100_000);
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &[("x-large", &large)], "").await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
}

/// A replica would refuse them by HTTP, which is no answer to a call, and would be ejected for it.
#[tokio::test]
async fn headers_that_no_replica_would_take_are_refused_by_the_gateway() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    for (length, is_refused) in [(14_000, false), (15_500, true), (40_000, true)] {
        let large = "x".repeat(length);
        let headers = [("authorization", bearer.as_str()), ("x-large", &large)];
        let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &headers, "").await;
        let expected = if is_refused { StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE } else { StatusCode::OK };
        assert_eq!(answer.status, expected, "{length}: {}", answer.text());
        assert_eq!(answer.reason() == "HEADERS_TOO_LARGE", is_refused);
    }
    let large = "x".repeat(15_000);
    let mut request = with_token(pb::GetAccountRequest { id: "7".into() }, &rig.token());
    request.metadata_mut().insert("x-large", large.parse().unwrap());
    let refused = AccountServiceClient::new(Grpc::connect(rig.public).await).get_account(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{refused}");
    let upstream = wire::rest(rig.control, Method::GET, "/upstreams/customers", &[], "").await.json();
    assert_eq!(upstream["replicas"][0]["failures"], 0, "{upstream}");
}

#[tokio::test]
async fn running_calls_finish_when_the_gateway_stops() {
    let rig = Rig::start().await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let slow = pb::GetAccountRequest { id: "slow".into() };
    let running = tokio::spawn({
        let request = with_token(slow, &rig.token());
        async move { client.get_account(request).await }
    });
    let over_rest = tokio::spawn({
        let (public, bearer) = (rig.public, format!("Bearer {}", rig.token()));
        async move { wire::rest(public, Method::GET, "/v1/accounts/slow", &[("authorization", &bearer)], "").await.status }
    });
    eventually("both calls have arrived", async || rig.seen().running.load(Ordering::SeqCst) == 2).await;
    rig.shutdown.cancel();
    assert_eq!(running.await.unwrap().unwrap().into_inner().id, "slow");
    assert_eq!(over_rest.await.unwrap(), StatusCode::OK);
    eventually("the gateway has ended", async || rig.served.is_finished()).await;
    assert!(TcpStream::connect(rig.public).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn health_says_no_before_the_port_closes() {
    let rig = Rig::start_with(1, |config| config.server.drain_grace = Duration::from_secs(2)).await;
    let client = Grpc::connect(rig.public).await;
    let check = async || {
        let path = "/grpc.health.v1.Health/Check";
        let answer = client.raw(path, &[], bytes::Bytes::from_static(&[0; 5])).await;
        use http_body_util::BodyExt;
        answer.into_body().collect().await.unwrap().to_bytes()
    };
    let serving: &[u8] = &[0, 0, 0, 0, 2, 8, 1];
    let not_serving: &[u8] = &[0, 0, 0, 0, 2, 8, 2];
    assert_eq!(check().await, serving);
    assert_eq!(wire::rest(rig.admin, Method::GET, "/readyz", &[], "").await.status, StatusCode::OK);
    rig.shutdown.cancel();
    eventually("health says no", async || check().await == not_serving).await;
    assert_eq!(wire::rest(rig.admin, Method::GET, "/readyz", &[], "").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK, "calls are taken until the grace is over");
}

#[tokio::test]
async fn grpc_without_http2_is_told_what_to_do() {
    let rig = Rig::start().await;
    let path = "/crm.customers.v1.AccountService/GetAccount";
    let old = wire::rest(rig.public, Method::POST, path, &[("content-type", "application/grpc")], "").await;
    assert_eq!(old.status, StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    assert!(old.text().contains("gRPC-Web"), "{}", old.text());
}
