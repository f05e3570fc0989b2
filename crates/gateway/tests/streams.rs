//! Server streams as lines of JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use support::{Rig, eventually, wire};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn each_message_is_a_line() {
    let rig = Rig::start().await;
    for many in ["accounts", "contacts"] {
        let answer = rig.get(&format!("/v1/{many}:export?filter=250")).await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let lines = lines(&answer.text());
        assert_eq!(lines.len(), 250);
        assert_eq!(lines[249]["id"], "249");
    }
    let empty = rig.get("/v1/accounts:export?filter=0").await;
    assert_eq!((empty.status, empty.text().as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_stream_that_fails_at_once_fails_with_a_status() {
    let rig = Rig::start().await;
    let answer = rig.get("/v1/accounts:export?filter=refused").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.reason(), "INVALID_FILTER");
}

#[tokio::test]
async fn a_stream_that_fails_midway_ends_with_a_line_that_says_so() {
    let rig = Rig::start().await;
    let answer = rig.get("/v1/accounts:export?filter=breaks").await;
    assert_eq!(answer.status, StatusCode::OK);
    let lines = lines(&answer.text());
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["id"], "1");
    assert_eq!(lines[2]["error"]["code"], 10, "{}", lines[2]);
    assert!(lines[2].to_string().contains("BROKEN_OFF"), "{}", lines[2]);
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_at_its_deadline() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("x-crm-timeout", "300ms")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts:export?filter=silent", &headers, "").await;
    let lines = lines(&answer.text());
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["error"]["code"], 4, "{}", lines[1]);
}

#[tokio::test]
async fn a_reader_that_leaves_cancels_the_stream_behind() {
    let rig = Rig::start().await;
    let mut connection = wire::http1_connection(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    let request = Request::get("/v1/accounts:export?filter=endless")
        .header("host", "gateway.localhost")
        .header("authorization", bearer)
        .body(Full::new(Bytes::new()))
        .unwrap();
    let mut response = connection.send_request(request).await.unwrap();
    assert!(response.frame().await.unwrap().unwrap().is_data());
    assert_eq!(rig.seen().running.load(Ordering::SeqCst), 1);
    drop((response, connection));
    eventually("the stream is cancelled", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_the_stream_instead_of_filling_memory() {
    let rig = Rig::start().await;
    let mut connection = wire::http1_connection(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str())];
    let response =
        wire::start_on(&mut connection, Method::GET, "/v1/accounts:export?filter=endless", &headers, "").await;
    let mut resident = resident_bytes();
    // Once the sockets between are full nothing moves; then memory has to stand still.
    eventually("memory stands still", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = std::mem::replace(&mut resident, resident_bytes());
        resident.abs_diff(before) < 1 << 20
    })
    .await;
    assert!(resident_bytes() < 400 << 20);
    drop(response);
}

fn resident_bytes() -> u64 {
    crm_telemetry::process::resident_bytes().unwrap()
}
