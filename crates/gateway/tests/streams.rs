//! Server streams as lines of JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use crm_proto::customers::{ExportAccountsRequest, account_service_client::AccountServiceClient};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use support::{Rig, eventually, wire};
use tonic_types::StatusExt;

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
async fn a_table_stands_as_it_is_and_is_cut_off_where_it_fails() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let ask = async |path: &str, accept: &str| {
        let headers = [("authorization", bearer.as_str()), ("accept", accept)];
        wire::rest(rig.public, Method::GET, path, &headers, "").await
    };
    for (path, accept) in [
        ("/v1/accounts:exportCsv?filter=2", "*/*"),
        ("/v1/accounts:exportCsv?filter=2", "application/json"),
        ("/v1/accounts:export?filter=2", "text/csv"),
    ] {
        let table = ask(path, accept).await;
        assert_eq!((table.status, table.header("content-type")), (StatusCode::OK, "text/csv; charset=utf-8"), "{path}");
        assert_eq!(table.text(), "name\r\nAcme\r\nAcme\r\n");
    }
    assert_eq!(ask("/v1/accounts:export?filter=2", "*/*").await.header("content-type"), "application/x-ndjson");
    // What has no table has lines.
    assert_eq!(ask("/v1/accounts/7", "text/csv").await.header("content-type"), "application/json");
    let refused = ask("/v1/accounts:exportCsv?filter=refused", "text/csv").await;
    assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::BAD_REQUEST, "INVALID_FILTER"));

    let mut connection = wire::http1_connection(rig.public).await;
    let headers = [("authorization", bearer.as_str())];
    let broken =
        wire::start_on(&mut connection, Method::GET, "/v1/accounts:exportCsv?filter=breaks", &headers, "").await;
    assert_eq!(broken.status(), StatusCode::OK);
    assert!(broken.into_body().collect().await.is_err(), "it ended as if it were whole");
}

#[tokio::test]
async fn a_stream_whose_replica_dies_ends_with_a_reason_in_every_form() {
    const PATH: &str = "/v1/accounts:export?filter=silent";
    let mut rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let mut connections = [wire::http1_connection(rig.public).await, wire::http1_connection(rig.public).await];
    let mut bodies = Vec::new();
    for (connection, accept) in connections.iter_mut().zip(["application/x-ndjson", "text/event-stream"]) {
        let headers = [("authorization", bearer.as_str()), ("accept", accept)];
        bodies.push(wire::start_on(connection, Method::GET, PATH, &headers, "").await.into_body());
    }
    let mut client = AccountServiceClient::new(wire::Grpc::connect(rig.public).await);
    let export = ExportAccountsRequest { filter: "silent".to_owned(), ..Default::default() };
    let mut stream = client.export_accounts(support::with_token(export, &rig.token())).await.unwrap().into_inner();
    stream.message().await.unwrap().expect("a first message");
    eventually("all are open", async || rig.seen().running.load(Ordering::SeqCst) == 3).await;

    rig.replicas.clear();
    let ended = stream.message().await.unwrap_err();
    let reason = ended.get_details_error_info().map(|info| info.reason);
    assert_eq!((ended.code(), reason.as_deref()), (tonic::Code::Unavailable, Some("CONNECTION_LOST")), "{ended}");
    for (body, begins) in bodies.into_iter().zip(["{\"error\":{\"code\":14,", "data: {\"code\":14,"]) {
        let all = body.collect().await.unwrap().to_bytes();
        let last = String::from_utf8_lossy(&all).trim_end().lines().last().unwrap().to_owned();
        assert!(last.starts_with(begins) && last.contains("\"reason\":\"CONNECTION_LOST\""), "{last}");
    }
}

/// Short times for everything but streams, as the settings of a call.
fn short_but_for_streams(config: &mut crm_gateway::Config) {
    config.calls.default_timeout = Duration::from_millis(200);
    config.calls.max_timeout = Duration::from_millis(200);
    config.calls.max_stream_timeout = Duration::from_secs(300);
}

#[tokio::test]
async fn a_stream_that_is_read_fast_enough_outlasts_the_longest_other_call() {
    let rig = Rig::start_with(1, short_but_for_streams).await;
    for asked in [None, Some("4m")] {
        let mut connection = wire::http1_connection(rig.public).await;
        let bearer = format!("Bearer {}", rig.token());
        let headers: Vec<_> = [("authorization", bearer.as_str())]
            .into_iter()
            .chain(asked.map(|asked| ("x-crm-timeout", asked)))
            .collect();
        let path = "/v1/accounts:export?filter=endless";
        let mut response = wire::start_on(&mut connection, Method::GET, path, &headers, "").await;
        assert_eq!(response.headers()["x-crm-timeout"], asked.unwrap_or("5m"));
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(800) {
            let frame = response.frame().await.expect("not the end").expect("no error");
            assert!(!frame.into_data().unwrap_or_default().starts_with(b"{\"error\""));
        }
    }
}

/// A pace that nobody keeps up who pauses between frames.
fn hasty(config: &mut crm_gateway::Config) {
    config.calls.pace = crm_gateway::PaceSettings { bytes_per_second: 1 << 40, over: Duration::from_millis(100) };
}

/// What a stream ends with, for a reader who pauses between frames.
async fn end_of(
    mut body: impl http_body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
) -> (Bytes, http::HeaderMap) {
    let mut end = Vec::new();
    loop {
        let Some(frame) = body.frame().await else { return (end.into(), http::HeaderMap::new()) };
        match frame.unwrap().into_trailers() {
            Ok(trailers) => return (end.into(), trailers),
            Err(frame) => end.extend_from_slice(&frame.into_data().unwrap()),
        }
        end.drain(..end.len().saturating_sub(4_000));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_read_too_slowly_is_cut_and_says_why() {
    let rig = Rig::start_with(1, hasty).await;
    let (mut connection, bearer) = (wire::http1_connection(rig.public).await, format!("Bearer {}", rig.token()));
    let headers = [("authorization", bearer.as_str())];
    let response =
        wire::start_on(&mut connection, Method::GET, "/v1/accounts:export?filter=endless", &headers, "").await;
    let (end, _) = tokio::time::timeout(Duration::from_secs(50), end_of(response.into_body())).await.unwrap();
    let last = String::from_utf8_lossy(&end).lines().last().unwrap().to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["error"]["code"], 10, "{last}");
    assert!(last.to_string().contains("STREAM_TOO_SLOW") && last.to_string().contains("bytes a second over 100ms"));
    eventually("the stream behind is cancelled", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;

    let client = wire::Grpc::connect(rig.public).await;
    let endless = Bytes::from_static(b"\0\0\0\0\x09\x0a\x07endless");
    let answer = client.raw("/crm.customers.v1.AccountService/ExportAccounts", &headers, endless).await;
    assert_eq!(answer.headers()["x-crm-timeout"], "30m");
    let (_, trailers) = tokio::time::timeout(Duration::from_secs(50), end_of(answer.into_body())).await.unwrap();
    assert_eq!(trailers["grpc-status"], "10");
    eventually("the stream behind is cancelled", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_stream_with_little_to_say_is_not_slow() {
    let rig = Rig::start_with(1, hasty).await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("x-crm-timeout", "600ms")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts:export?filter=silent", &headers, "").await;
    assert_eq!(lines(&answer.text())[1]["error"]["code"], 4);
    // A millisecond or more goes by on a loaded machine before the call's time is passed on.
    let told = answer.text();
    let had = told.split("longer than the ").nth(1).and_then(|rest| rest.split("ms that it had").next()).unwrap();
    assert!((300..=600).contains(&had.parse::<u32>().unwrap()), "{told}");
}

#[tokio::test]
async fn a_time_that_is_too_long_is_shortened_and_the_answer_names_what_it_was() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    for (path, asked, given) in [
        ("/v1/accounts/7", "5m", "1m"),
        ("/v1/accounts/7", "1500ms", "1500ms"),
        ("/v1/accounts/missing", "61s", "1m"),
        ("/v1/accounts:export?filter=3", "29m", "29m"),
        ("/v1/accounts:export?filter=3", "31m", "30m"),
        ("/v1/accounts:export?filter=3", "", "30m"),
        ("/v1/accounts/7", "", ""),
    ] {
        let asked: Vec<_> = (!asked.is_empty()).then_some(("x-crm-timeout", asked)).into_iter().collect();
        let headers = [&[("authorization", bearer.as_str())], &asked[..]].concat();
        let answer = wire::rest(rig.public, Method::GET, path, &headers, "").await;
        assert_eq!(answer.header("x-crm-timeout"), given, "{path} {asked:?}");
    }
    let client = wire::Grpc::connect(rig.public).await;
    for (method, asked, given) in
        [("GetAccount", "1H", "1m"), ("GetAccount", "5S", "5s"), ("ExportAccounts", "1H", "30m")]
    {
        let headers = [("authorization", bearer.as_str()), ("grpc-timeout", asked)];
        let path = format!("/crm.customers.v1.AccountService/{method}");
        let answer = client.raw(&path, &headers, Bytes::from_static(b"\0\0\0\0\x03\x0a\x017")).await;
        assert_eq!(answer.headers()["x-crm-timeout"], given, "{method} {asked}");
    }
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
