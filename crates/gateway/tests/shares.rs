//! One tenant that takes all it can get, or a stranger who does: everybody else is served as before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use hyper::{body::Incoming, client::conn::http2};
use support::{
    Rig, eventually,
    wire::{Grpc, narrow},
};
use tokio::task::JoinSet;
use tonic::body::Body;

const GET: &str = "/crm.customers.v1.AccountService/GetAccount";
const CREATE: &str = "/crm.customers.v1.AccountService/CreateAccount";
/// A `GetAccountRequest` that is never answered.
const HANG: &[u8] = b"\0\0\0\0\x06\x0a\x04hang";

/// The reason of a refusal that is nothing but headers.
fn reason(refused: &Response<Incoming>) -> String {
    use tonic_types::StatusExt;
    let status = tonic::Status::from_header_map(refused.headers()).expect("a status");
    status.get_details_error_info().expect("a reason").reason
}

#[tokio::test]
async fn a_thousand_hanging_calls_of_one_tenant_leave_every_other_answered() {
    let rig = Rig::start().await;
    let client = Grpc::connect(rig.public).await;
    let bearer = rig.bearer_of("greedy");
    let mut greedy = JoinSet::new();
    for _ in 0..1_000 {
        let (client, bearer) = (client.clone(), bearer.clone());
        greedy.spawn(async move {
            let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "50S")];
            client.raw(GET, &headers, Bytes::from_static(HANG)).await
        });
    }
    // Whatever is not refused hangs.
    let mut refused = 0;
    while refused + rig.seen().running.load(Ordering::SeqCst) < 1_000 {
        let answer = tokio::time::timeout(Duration::from_secs(20), greedy.join_next()).await.expect("in time");
        assert_eq!(reason(&answer.unwrap().unwrap()), "TENANT_SHARE_TAKEN");
        refused += 1;
    }
    assert!(refused < 1_000, "some are let in");
    for tenant in ["one", "two", "three"] {
        let mut calls = JoinSet::new();
        for id in 0..20 {
            let (public, bearer) = (rig.public, rig.bearer_of(tenant));
            calls.spawn(async move {
                let headers = [("authorization", bearer.as_str())];
                support::wire::rest(public, Method::GET, &format!("/v1/accounts/{id}"), &headers, "").await.status
            });
        }
        assert!(calls.join_all().await.iter().all(|status| *status == StatusCode::OK), "{tenant}");
    }
}

/// `came` bytes of a message of `length`, and then nothing for as long as anybody waits.
fn stalled(came: usize, length: usize) -> Body {
    let mut begun = vec![0];
    begun.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
    begun.resize(came, 0);
    let begun = stream::iter([Ok::<_, tonic::Status>(Frame::data(Bytes::from(begun)))]);
    Body::new(StreamBody::new(begun.chain(stream::pending())))
}

#[tokio::test]
async fn uploads_of_one_tenant_that_stall_leave_room_for_those_of_others() {
    let rig = Rig::start_with(1, |config| config.calls.max_buffered_bytes = 100_000).await;
    let client = Grpc::connect(rig.public).await;
    let bearer = rig.bearer_of("greedy");
    let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "50S")];
    let mut greedy =
        stream::iter(0..20).map(|_| client.stream(CREATE, &headers, stalled(10_000, 20_000))).buffer_unordered(20);
    // Five of them fit into half of the room; the others are refused.
    for _ in 0..15 {
        let refused = tokio::time::timeout(Duration::from_secs(20), greedy.next()).await.expect("in time");
        assert_eq!(reason(&refused.unwrap()), "TENANT_SHARE_TAKEN");
    }
    let body = format!("{{\"name\": \"{}\"}}", "x".repeat(20_000));
    let created = rig.rest(Method::POST, "/v1/accounts?requestId=1", &body).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text());
}

#[tokio::test]
async fn an_upload_that_stalls_is_no_replicas_business_however_much_of_it_has_come() {
    let rig = Rig::start().await;
    let client = Grpc::connect(rig.public).await;
    let bearer = rig.bearer_of("slow");
    let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "700m")];
    let answer = client.stream(CREATE, &headers, stalled(3 << 20, 4 << 20));
    assert_eq!(answer.await.headers()["grpc-status"].to_str().unwrap(), "4");
    assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0, "no replica heard of it");
    let headers = [("authorization", bearer.as_str())];
    let refused = client.stream(CREATE, &headers, stalled(5, (4 << 20) + 1)).await;
    assert_eq!(
        (refused.headers()["grpc-status"].to_str().unwrap(), reason(&refused).as_str()),
        ("8", "MESSAGE_TOO_LARGE")
    );
}

async fn rest_get(rig: &Rig, sender: &http2::SendRequest<Body>, path: &str, bearer: &str) -> Response<Incoming> {
    let request = Request::get(format!("http://{}{path}", rig.public))
        .header("authorization", bearer)
        .header("x-crm-timeout", "50s")
        .body(Body::new(Empty::new()))
        .unwrap();
    sender.clone().send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_stranger_who_does_not_read_the_refusal_holds_no_place() {
    let rig = Rig::start_with(1, |config| config.calls.max_concurrent_calls = 1).await;
    let sender = narrow(rig.public).await;
    let refused = rest_get(&rig, &sender, "/v1/accounts/7", "Bearer nonsense").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
    drop(refused);
}

#[tokio::test]
async fn answers_that_one_tenant_does_not_read_leave_room_for_those_of_others() {
    let rig = Rig::start_with(1, |config| config.calls.max_answer_bytes_in_all = 16 << 20).await;
    let (sender, bearer) = (narrow(rig.public).await, rig.bearer_of("greedy"));
    let mut unread = Vec::new();
    // Each has 2 MiB, and takes up nearly twice as much while it becomes JSON: the fourth would pass half of the room.
    let refused = loop {
        let answer = rest_get(&rig, &sender, "/v1/accounts/large", &bearer).await;
        if answer.status() != StatusCode::OK {
            break answer;
        }
        unread.push(answer);
    };
    assert_eq!((refused.status(), unread.len()), (StatusCode::TOO_MANY_REQUESTS, 3));
    assert_eq!(rig.get("/v1/accounts/large").await.status, StatusCode::OK);
    drop(unread);
    eventually("the room is free", async || {
        rest_get(&rig, &sender, "/v1/accounts/large", &bearer).await.status() == StatusCode::OK
    })
    .await;
}
