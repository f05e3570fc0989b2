//! Callers that ask and do not read: they cost nobody else anything, and not for long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2};
use support::{Rig, eventually, wire::narrow};
use tonic::body::Body;

async fn call(
    rig: &Rig,
    sender: &http2::SendRequest<Body>,
    (method, message, timeout): (&str, &'static [u8], &str),
) -> Response<Incoming> {
    let request = Request::post(format!("http://{}/crm.customers.v1.AccountService/{method}", rig.public))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout)
        .header("authorization", format!("Bearer {}", rig.token()))
        .body(Body::new(Full::new(Bytes::from_static(message))))
        .unwrap();
    sender.clone().send_request(request).await.unwrap()
}

/// A `GetAccountRequest` for more than a stream's window holds.
const LARGE: &[u8] = b"\0\0\0\0\x07\x0a\x05large";
/// An `ExportAccountsRequest` for more than anybody takes.
const ENDLESS: &[u8] = b"\0\0\0\0\x09\x0a\x07endless";

#[tokio::test]
async fn callers_that_do_not_read_stall_nobody_else() {
    let rig = Rig::start().await;
    let sender = narrow(rig.public).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(call(&rig, &sender, ("GetAccount", LARGE, "30S")).await);
    }
    // Long before their deadlines, which must not be what lets others through.
    let neighbour = tokio::time::timeout(Duration::from_secs(5), rig.get("/v1/accounts/7")).await;
    assert_eq!(neighbour.expect("a neighbour's call must not hang").status, 200);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_with_its_deadline() {
    let rig = Rig::start().await;
    let sender = narrow(rig.public).await;
    let running = || rig.seen().running.load(Ordering::SeqCst);
    let held = call(&rig, &sender, ("ExportAccounts", ENDLESS, "1S")).await;
    assert_eq!((held.status().as_u16(), running()), (200, 1));
    eventually("the stream behind it is cancelled", async || running() == 0).await;
    assert!(held.into_body().collect().await.is_err(), "it did not end well");
}

#[tokio::test]
async fn an_answer_that_is_read_slowly_ends_with_its_deadline_and_says_so() {
    let rig = Rig::start().await;
    let client = support::wire::Grpc::connect(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "500m")];
    let path = "/crm.customers.v1.AccountService/ExportAccounts";
    let answer = client.raw(path, &headers, Bytes::from_static(ENDLESS)).await;
    let mut body = answer.into_body();
    let trailers = loop {
        let frame = body.frame().await.unwrap().unwrap();
        if let Ok(trailers) = frame.into_trailers() {
            break trailers;
        }
    };
    assert_eq!(trailers["grpc-status"], "4");
}
