//! What the gateway takes at once, over all callers: the rest is refused in words of the protocol that was spoken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use crm_proto::customers::{
    self as pb, account_service_client::AccountServiceClient, operation_service_client::OperationServiceClient,
};
use crm_proto::operations::WaitOperationRequest;
use http::{Method, StatusCode};
use support::{Rig, eventually, wire::Grpc, with_token};
use tonic::Code;
use tonic_types::StatusExt;

fn get(id: &str) -> pb::GetAccountRequest {
    pb::GetAccountRequest { id: id.into() }
}

#[tokio::test]
async fn more_calls_than_there_are_places_are_refused_until_one_is_free() {
    let rig = Rig::start_with(1, |config| config.calls.max_concurrent_calls = 1).await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let hanging = tokio::spawn({
        let (mut client, request) = (client.clone(), with_token(get("hang"), &rig.token()));
        async move { client.get_account(request).await }
    });
    eventually("the call has arrived", async || rig.seen().running.load(Ordering::SeqCst) == 1).await;

    let refused = client.get_account(with_token(get("7"), &rig.token())).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "too many calls in flight"));
    let refused = rig.get("/v1/accounts/7").await;
    assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::TOO_MANY_REQUESTS, "OVERLOADED"));
    assert_eq!((refused.header("retry-after"), refused.header("content-type")), ("1", "application/json"));

    hanging.abort();
    eventually("the place is free", async || rig.get("/v1/accounts/7").await.status == StatusCode::OK).await;
}

#[tokio::test]
async fn those_who_wait_for_something_to_happen_take_no_place_of_the_adaptive_limit() {
    let rig = Rig::start().await;
    let client = OperationServiceClient::new(Grpc::connect(rig.public).await);
    let mut waiting = tokio::task::JoinSet::new();
    // More than one tenant gets of it at first, and less than a connection carries to the fake.
    for _ in 0..190 {
        let (mut client, mut request) = (client.clone(), with_token(WaitOperationRequest::default(), &rig.token()));
        request.set_timeout(Duration::from_secs(50));
        waiting.spawn(async move { client.wait_operation(request).await });
    }
    eventually("all wait", async || rig.seen().running.load(Ordering::SeqCst) == 190).await;
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
    assert!(waiting.try_join_next().is_none());
}

#[tokio::test]
async fn streams_of_the_gateways_own_are_bounded_and_health_checks_go_on() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let rig = Rig::start().await;
    let ask = || HealthCheckRequest { service: String::new() };
    let (mut watches, mut refused) = (Vec::new(), 0);
    for _ in 0..21 {
        let mut client = HealthClient::new(Grpc::connect(rig.public).await);
        for _ in 0..50 {
            match client.watch(ask()).await {
                Ok(watch) => watches.push(watch),
                Err(status) => {
                    assert_eq!(status.code(), Code::ResourceExhausted);
                    assert!(status.get_details_retry_info().is_some(), "{status}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((watches.len(), refused), (1_000, 50));
    let mut client = HealthClient::new(Grpc::connect(rig.public).await);
    client.check(ask()).await.unwrap();
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
    watches.clear();
    eventually("a place is free", async || client.watch(ask()).await.is_ok()).await;
}

#[tokio::test]
async fn more_bytes_of_requests_than_there_is_room_for_are_refused() {
    let rig = Rig::start_with(1, |config| config.calls.max_buffered_bytes = 100).await;
    let body = format!("{{\"name\": \"{}\"}}", "x".repeat(100));
    let refused = rig.rest(Method::POST, "/v1/accounts?requestId=1", &body).await;
    assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::TOO_MANY_REQUESTS, "OVERLOADED"));

    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let refused = client.get_account(with_token(get(&"x".repeat(100)), &rig.token())).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "too many bytes of requests at once"));
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
}
