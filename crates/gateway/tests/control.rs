//! The control API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use support::{Rig, eventually, wire};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn put(rig: &Rig, path: &str, body: Value) -> wire::Answer {
    wire::rest(rig.control, Method::PUT, path, &JSON, body.to_string()).await
}

#[tokio::test]
async fn upstreams_show_their_replicas() {
    let rig = Rig::start_with(2, |_| {}).await;
    for number in 0..20 {
        assert_eq!(rig.get(&format!("/v1/accounts/{number}")).await.status, StatusCode::OK);
    }
    let upstreams = wire::rest(rig.control, Method::GET, "/upstreams", &[], "").await.json();
    let upstream = &upstreams["upstreams"][0];
    assert_eq!((&upstream["name"], &upstream["key"]), (&json!("customers"), &json!("crm.customers.v1")));
    assert_eq!(upstream["policy"], "peak_ewma");
    let replicas = upstream["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), 2);
    for field in ["address", "state", "weight", "share", "latency_ms_ewma", "in_flight", "ejections", "admin"] {
        assert!(replicas[0].get(field).is_some(), "{field}: {}", replicas[0]);
    }
    assert_eq!((&upstream["panic"], &upstream["calls"]["ok"]), (&json!(false), &json!(20)));
    let calls: u64 = replicas.iter().map(|replica| replica["calls"].as_u64().unwrap()).sum();
    assert_eq!(calls, 20);
    let one = wire::rest(rig.control, Method::GET, "/upstreams/customers", &[], "").await.json();
    assert_eq!(one["replicas"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_policy_changes_while_calls_run() {
    let rig = Rig::start_with(2, |_| {}).await;
    for policy in ["random", "round_robin", "weighted_round_robin", "least_request", "consistent_hash", "peak_ewma"] {
        let answer = put(&rig, "/upstreams/customers/policy", json!({"policy": policy})).await;
        assert_eq!((answer.status, &answer.json()["policy"]), (StatusCode::OK, &json!(policy)));
        for number in 0..5 {
            assert_eq!(rig.get(&format!("/v1/accounts/{number}")).await.status, StatusCode::OK, "{policy}");
        }
    }
}

#[tokio::test]
async fn switches_are_flipped() {
    let rig = Rig::start().await;
    let all = wire::rest(rig.control, Method::GET, "/switches", &[], "").await.json();
    let names: Vec<&str> =
        all["switches"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["retries", "ejection", "shedding", "compression", "trace_header"]);
    let off = put(&rig, "/switches/retries", json!({"on": false})).await.json();
    assert_eq!((&off["name"], &off["on"]), (&json!("retries"), &json!(false)));
    let seen = wire::rest(rig.control, Method::GET, "/switches/retries", &[], "").await.json();
    assert_eq!(seen["on"], false);
}

#[tokio::test]
async fn mistakes_are_told_as_the_public_api_tells_them() {
    let rig = Rig::start().await;
    let cases = [
        (Method::GET, "/nothing", "", StatusCode::NOT_FOUND, "UNKNOWN_ROUTE"),
        (Method::DELETE, "/upstreams", "", StatusCode::METHOD_NOT_ALLOWED, "UNKNOWN_ROUTE"),
        (Method::GET, "/upstreams/sales", "", StatusCode::NOT_FOUND, "UNKNOWN_UPSTREAM"),
        (Method::PUT, "/upstreams/sales/policy", "{\"policy\":\"random\"}", StatusCode::NOT_FOUND, "UNKNOWN_UPSTREAM"),
        (
            Method::PUT,
            "/upstreams/customers/policy",
            "{\"policy\":\"random\",\"policy\":\"random\"}",
            StatusCode::BAD_REQUEST,
            "CONFLICTING_VALUE",
        ),
        (Method::PUT, "/switches/retries", "{\"on\":true,\"on\":false}", StatusCode::BAD_REQUEST, "CONFLICTING_VALUE"),
        (
            Method::PUT,
            "/upstreams/customers/policy",
            "{\"policy\":\"best\"}",
            StatusCode::BAD_REQUEST,
            "INVALID_CHANGE",
        ),
        (Method::PUT, "/upstreams/customers/policy", "[\"peak_ewma\"]", StatusCode::BAD_REQUEST, "INVALID_CHANGE"),
        (Method::PUT, "/upstreams/customers/policy", "{", StatusCode::BAD_REQUEST, "INVALID_CHANGE"),
        (Method::PUT, "/upstreams/customers/policy", "{\"name\":1}", StatusCode::BAD_REQUEST, "INVALID_CHANGE"),
        (Method::PUT, "/switches/gravity", "{\"on\":false}", StatusCode::NOT_FOUND, "UNKNOWN_SWITCH"),
        (Method::PUT, "/switches/retries", "[true]", StatusCode::BAD_REQUEST, "INVALID_CHANGE"),
        (Method::PUT, "/switches/retries", "{\"on\":1}", StatusCode::BAD_REQUEST, "INVALID_CHANGE"),
    ];
    for (method, path, body, status, reason) in cases {
        let answer = wire::rest(rig.control, method.clone(), path, &JSON, body).await;
        assert_eq!((answer.status, answer.reason().as_str()), (status, reason), "{method} {path} {body}");
        assert!(answer.json()["code"].as_i64().is_some_and(|code| code > 0), "{method} {path}");
    }
    let wrong = wire::rest(rig.control, Method::DELETE, "/upstreams", &JSON, "").await;
    assert_eq!(wrong.header("allow"), "GET, HEAD, OPTIONS");
    for (path, methods) in [
        ("/switches/retries", "GET, HEAD, OPTIONS, PUT"),
        ("/upstreams/customers/replicas/0/fault", "DELETE, OPTIONS, PUT"),
    ] {
        let options = wire::rest(rig.control, Method::OPTIONS, path, &[], "").await;
        assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, methods), "{path}");
        let wrong = wire::rest(rig.control, Method::PATCH, path, &JSON, "{}").await;
        assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, methods), "{path}");
    }
}

/// What a page does whose owner points its name at the loopback address once the browser has loaded it.
#[tokio::test]
async fn a_web_page_changes_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::start().await;
    let body = r#"{"on":false}"#;
    for (host, kind, status) in [
        ("evil.example", "application/json", "403"),
        ("127.0.0.1", "text/plain", "415"),
        ("127.0.0.1", "application/json", "200"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(rig.control).await.unwrap();
        let head = format!("PUT /switches/retries HTTP/1.1\r\nhost: {host}:8081\r\ncontent-type: {kind}\r\n");
        let rest = format!("connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host} {kind}: {answer}");
        let switch = wire::rest(rig.control, Method::GET, "/switches/retries", &[], "").await.json();
        assert_eq!(switch["on"], status != "200", "{host} {kind}");
    }
}

#[tokio::test]
async fn a_change_is_json_and_says_so() {
    let rig = Rig::start().await;
    let flip = async |kind: &[(&str, &str)]| {
        wire::rest(rig.control, Method::PUT, "/switches/retries", kind, r#"{"on":true}"#).await
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"] {
        let refused = flip(&[("content-type", kind)]).await;
        assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID_HEADER"));
        assert_eq!(refused.header("accept"), "application/json", "{kind}");
    }
    // A page of another origin may send a body without a type, and without asking first.
    assert_eq!(flip(&[]).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(flip(&[("content-type", "Application/JSON; charset=UTF-8")]).await.status, StatusCode::OK);
}

async fn next_data(body: &mut Incoming) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn events_stream_until_the_gateway_ends() {
    let rig = Rig::start().await;
    let mut connection = wire::http1_connection(rig.control).await;
    let response = wire::start_on(&mut connection, Method::GET, "/events", &[], "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    put(&rig, "/upstreams/customers/policy", json!({"policy": "random"})).await;
    let event = String::from_utf8(next_data(&mut body).await.to_vec()).unwrap();
    assert!(
        event.contains("event: balance") && event.contains("policy_changed") && event.contains("random"),
        "{event}"
    );
    rig.shutdown.cancel();
    let rest = tokio::time::timeout(std::time::Duration::from_secs(5), body.collect()).await;
    rest.expect("the stream ends").unwrap();
    eventually("the gateway ends", async || rig.served.is_finished()).await;
}
