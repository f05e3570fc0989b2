//! Connect's unary calls through the gateway, over HTTP/1.1 and HTTP/2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use bytes::Bytes;
use crm_proto::{customers as pb, google::rpc::ErrorInfo};
use crm_server::token::Role;
use http::{Method, StatusCode};
use prost::Message;
use serde_json::{Value, json};
use support::{
    Rig, eventually,
    wire::{self, Answer, Grpc},
};

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTO: (&str, &str) = ("content-type", "application/proto");
const KEY: &str = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";

fn path(method: &str) -> String {
    format!("/crm.customers.v1.AccountService/{method}")
}

/// A call with a token, over HTTP/1.1 and the same over HTTP/2.
async fn call(rig: &Rig, method: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let (body, bearer) = (body.into(), format!("Bearer {}", rig.token()));
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    let one = wire::rest(rig.public, Method::POST, &path(method), &headers, body.clone()).await;
    let two = Grpc::connect(rig.public).await.send(Method::POST, &path(method), &headers, body).await;
    assert_eq!((one.status, &one.body), (two.status, &two.body), "{method}");
    one
}

async fn send(rig: &Rig, method: &str, body: Value) -> Answer {
    call(rig, method, &[JSON, ("connect-protocol-version", "1")], body.to_string()).await
}

/// HTTP status, code and reason of an error.
fn told(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let json = answer.json();
    let details = json["details"].as_array().unwrap().iter();
    let info = details.clone().find(|one| one["type"] == "google.rpc.ErrorInfo").unwrap_or_else(|| panic!("{json}"));
    let bytes = BASE64_STANDARD_NO_PAD.decode(info["value"].as_str().unwrap()).unwrap();
    let reason = ErrorInfo::decode(&*bytes).unwrap().reason;
    assert_eq!(info["debug"]["reason"], reason);
    (answer.status.as_u16(), json["code"].as_str().unwrap().to_owned(), reason)
}

fn error(http: u16, code: &str, reason: &str) -> (u16, String, String) {
    (http, code.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn unary_calls_answer_in_json() {
    let rig = Rig::start().await;
    let check = async |method: &str, body: Value, expected: Value| {
        let answer = send(&rig, method, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"), "{method}");
        assert!(answer.headers.get("grpc-status").is_none());
        let json = answer.json();
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&json[field], value, "{method}: {json}");
        }
    };
    let account = json!({"account": {"name": "Acme"}, "requestId": KEY});
    check("CreateAccount", account, json!({"id": "new", "name": "Acme", "etag": KEY})).await;
    check("GetAccount", json!({"id": "7"}), json!({"id": "7", "employees": 7})).await;
    let update = json!({"account": {"id": "7", "name": "Bob"}, "updateMask": "name,owner"});
    check("UpdateAccount", update, json!({"name": "Bob", "etag": "name,owner"})).await;
    let list = json!({"pageSize": 3, "filter": "f", "order_by": "name", "showDeleted": true});
    check("ListAccounts", list, json!({"nextPageToken": "3|f|name|true"})).await;
    check("DeleteAccount", json!({"id": "7", "etag": "x"}), json!({"id": "7", "etag": "x"})).await;
}

#[tokio::test]
async fn media_types_are_read_as_http_has_them() {
    let rig = Rig::start().await;
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(call(&rig, "GetAccount", &[("content-type", kind)], r#"{"id": "7"}"#).await.json()["id"], "7");
    }
    let asked = pb::GetAccountRequest { id: "7".into() }.encode_to_vec();
    let answer = call(&rig, "GetAccount", &[PROTO], asked).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/proto"));
    assert_eq!(pb::Account::decode(answer.body).unwrap(), support::fake::account("7"));
    let asked = pb::GetAccountRequest { id: "missing".into() }.encode_to_vec();
    assert_eq!(told(&call(&rig, "GetAccount", &[PROTO], asked).await), error(404, "not_found", "ACCOUNT_NOT_FOUND"));
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/connect+json", "application/json5"] {
        let answer = call(&rig, "GetAccount", &[("content-type", other)], "{}").await;
        assert_eq!(told(&answer), error(415, "invalid_argument", "INVALID_HEADER"), "{other}");
        assert!(answer.header("accept-post").starts_with("application/json, application/proto, "), "{answer:?}");
    }
    assert_eq!(call(&rig, "GetAccount", &[], "{}").await.status, 415);
    // Streams are spoken in other protocols.
    for kind in ["application/json", "application/connect+json", "application/connect+proto"] {
        let answer = call(&rig, "ExportAccounts", &[("content-type", kind)], "{}").await;
        assert_eq!(told(&answer), error(415, "unimplemented", "INVALID_HEADER"), "{kind}");
        assert!(answer.header("accept-post").starts_with("application/grpc, application/grpc-web, "), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_before_a_token_is_asked_for() {
    let rig = Rig::start().await;
    for (at, reason) in [
        ("/crm.customers.v1.AccountService/Nope", "METHOD_UNKNOWN"),
        ("/crm.customers.v1.NopeService/GetAccount", "METHOD_UNKNOWN"),
        ("/crm.nope.v1.NopeService/Nope", "SERVICE_NOT_ROUTED"),
    ] {
        let answer = wire::rest(rig.public, Method::POST, at, &[JSON], "{}").await;
        assert_eq!(told(&answer), error(404, "unimplemented", reason), "{at}");
        let answer = wire::rest(rig.public, Method::GET, at, &[], "").await;
        assert_eq!(told(&answer), error(404, "unimplemented", reason), "{at}");
    }
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = wire::rest(rig.public, method, &path("GetAccount"), &[JSON], "{}").await;
        assert_eq!(told(&answer), error(405, "unimplemented", "METHOD_NOT_ALLOWED"));
        assert_eq!(answer.header("allow"), "OPTIONS, POST");
    }
    let answer = wire::rest(rig.public, Method::OPTIONS, &path("ExportAccounts"), &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::NO_CONTENT, "OPTIONS, POST"));
    // Other paths stay REST's.
    let answer = wire::rest(rig.public, Method::POST, "/v1/nope", &[JSON], "{}").await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND"));
}

#[tokio::test]
async fn errors_have_their_code_reason_and_status() {
    let rig = Rig::start().await;
    let get = async |id: &str| send(&rig, "GetAccount", json!({"id": id})).await;
    assert_eq!(told(&get("missing").await), error(404, "not_found", "ACCOUNT_NOT_FOUND"));
    assert_eq!(get("missing").await.json()["message"], "no such account");
    let busy = get("busy").await;
    assert_eq!((told(&busy), busy.header("retry-after")), (error(429, "resource_exhausted", "BUSY"), "2"));
    assert_eq!(
        (get("unavailable").await.status, get("unavailable").await.json()["code"].clone()),
        (StatusCode::SERVICE_UNAVAILABLE, json!("unavailable"))
    );
    let stale = send(&rig, "DeleteAccount", json!({"id": "at-v2", "etag": "v1"})).await;
    assert_eq!(told(&stale), error(409, "aborted", "ETAG_MISMATCH"));
    let check = async |body: &str, reason: &str, field: &str| {
        let answer = call(&rig, "CreateAccount", &[JSON], body.to_owned()).await;
        assert_eq!(told(&answer), error(400, "invalid_argument", reason), "{body}");
        let details = answer.json()["details"].clone();
        let bad_request =
            details.as_array().unwrap().iter().find(|one| one["type"] == "google.rpc.BadRequest").cloned();
        assert_eq!(bad_request.unwrap()["debug"]["fieldViolations"][0]["field"], field, "{body}");
    };
    check("", "MALFORMED_JSON", "body").await;
    check("{", "MALFORMED_JSON", "body").await;
    check(r#"{"account": {"nope": 1}}"#, "UNKNOWN_FIELD", "account.nope").await;
    check(r#"{"account": {"name": "a", "name": "b"}}"#, "CONFLICTING_VALUE", "account.name").await;
    check(r#"{"account": {"employees": "x"}}"#, "INVALID_VALUE", "account.employees").await;
}

#[tokio::test]
async fn headers_are_checked() {
    let rig = Rig::start().await;
    let refused = async |headers: &[(&str, &str)]| {
        let headers = [&[JSON], headers].concat();
        told(&call(&rig, "GetAccount", &headers, r#"{"id": "7"}"#).await)
    };
    let invalid = || error(400, "invalid_argument", "INVALID_HEADER");
    for version in ["2", "", "1.0", "v1"] {
        assert_eq!(refused(&[("connect-protocol-version", version)]).await, invalid(), "{version}");
    }
    for timeout in ["0", "-1", "1s", "", "1.5", "12345678901", "+5"] {
        assert_eq!(refused(&[("connect-timeout-ms", timeout)]).await, invalid(), "{timeout}");
    }
    let twice = [("connect-timeout-ms", "1000"), ("connect-timeout-ms", "2000")];
    assert_eq!(refused(&twice).await, error(400, "invalid_argument", "CONFLICTING_VALUE"));
    for packed in ["gzip", "br", "zstd", "GZIP"] {
        let expected = error(501, "unimplemented", "COMPRESSION_UNSUPPORTED");
        assert_eq!(refused(&[("content-encoding", packed)]).await, expected, "{packed}");
    }
    let large = "x".repeat(15_500);
    let (http, _, reason) = refused(&[("x-large", &large)]).await;
    assert_eq!((http, reason.as_str()), (431, "HEADERS_TOO_LARGE"));
    let answer = call(&rig, "GetAccount", &[JSON, ("content-encoding", "Identity")], r#"{"id": "7"}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let rig = Rig::start().await;
    let long = json!({"account": {"notes": "x".repeat(1 << 20)}}).to_string();
    let expected = error(413, "resource_exhausted", "MESSAGE_TOO_LARGE");
    assert_eq!(told(&call(&rig, "CreateAccount", &[JSON], long).await), expected);
    let account = pb::Account { name: "x".repeat(2 << 20), ..Default::default() };
    let create = |account: pb::Account| pb::CreateAccountRequest { account: Some(account), ..Default::default() };
    let answer = call(&rig, "CreateAccount", &[PROTO], create(account).encode_to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let account = pb::Account { name: "x".repeat(5 << 20), ..Default::default() };
    assert_eq!(told(&call(&rig, "CreateAccount", &[PROTO], create(account).encode_to_vec()).await), expected);
}

#[tokio::test]
async fn a_call_lasts_as_long_as_its_caller_says() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let within = async |millis: &str, id: &str| {
        let headers = [JSON, ("authorization", bearer.as_str()), ("connect-timeout-ms", millis)];
        let body = json!({"id": id}).to_string();
        wire::rest(rig.public, Method::POST, &path("GetAccount"), &headers, body).await
    };
    let late = within("80", "hang").await;
    assert_eq!((late.status.as_u16(), late.json()["code"].as_str()), (504, Some("deadline_exceeded")));
    assert_eq!(late.header("x-crm-timeout"), "80ms");
    assert_eq!(within("20000", "slow").await.json()["id"], "slow");
    // Longer than may be is as long as may be.
    assert_eq!(within("9999999999", "7").await.header("x-crm-timeout"), "1m");
    assert!(send(&rig, "GetAccount", json!({"id": "7"})).await.headers.get("x-crm-timeout").is_none());
}

#[tokio::test]
async fn callers_are_let_in_as_over_rest() {
    let rig = Rig::start_with(1, |config| config.calls.max_concurrent_calls = 1).await;
    let stranger = wire::rest(rig.public, Method::POST, &path("GetAccount"), &[JSON], "{}").await;
    assert_eq!(told(&stranger), error(401, "unauthenticated", "TOKEN_MISSING"));
    assert_eq!(stranger.header("www-authenticate"), r#"Bearer realm="bellwether""#);
    let viewer = format!("Bearer {}", rig.token_of(Role::Viewer, Duration::from_secs(60)));
    let headers = [JSON, ("authorization", viewer.as_str())];
    let refused = wire::rest(rig.public, Method::POST, &path("DeleteAccount"), &headers, "{}").await;
    assert_eq!(told(&refused), error(403, "permission_denied", "ROLE_READ_ONLY"));
    let read = wire::rest(rig.public, Method::POST, &path("GetAccount"), &headers, r#"{"id": "7"}"#).await;
    assert_eq!(read.status, StatusCode::OK);

    let bearer = format!("Bearer {}", rig.token());
    let mut connection = wire::http1_connection(rig.public).await;
    let hanging = tokio::spawn(async move {
        let headers = [JSON, ("authorization", bearer.as_str())];
        wire::start_on(&mut connection, Method::POST, &path("GetAccount"), &headers, r#"{"id": "hang"}"#).await
    });
    eventually("the call has arrived", async || rig.seen().running.load(Ordering::SeqCst) == 1).await;
    let refused = send(&rig, "GetAccount", json!({"id": "7"})).await;
    assert_eq!(told(&refused), error(429, "resource_exhausted", "OVERLOADED"));
    assert_eq!(refused.header("retry-after"), "1");
    hanging.abort();
    eventually("it is cancelled behind", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn metadata_passes_both_ways() {
    let rig = Rig::start().await;
    for codec in [JSON, PROTO] {
        let body = if codec == JSON { Bytes::from_static(b"{}") } else { Bytes::new() };
        let answer = call(&rig, "GetAccount", &[codec, (support::echo::ASKED, "1")], body).await;
        assert_eq!((answer.status, answer.header("x-head")), (StatusCode::OK, "1"));
        assert_eq!((answer.header("trailer-x-cost"), answer.header("trailer-x-echo-bin")), ("237", "AAEC"));
        let names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
        assert!(names.iter().all(|name| !name.contains("grpc-")) && answer.header("date") != "then", "{names:?}");
    }
    let headers = [JSON, ("connect-protocol-version", "1"), ("connect-timeout-ms", "5000"), ("x-mine", "1")];
    let seen = call(&rig, "GetAccount", &headers, r#"{"id": "names"}"#).await.json()["name"].clone();
    let seen: Vec<&str> = seen.as_str().unwrap().split(',').collect();
    assert!(seen.contains(&"x-mine") && seen.contains(&"grpc-timeout"), "{seen:?}");
    assert!(seen.iter().all(|name| !name.starts_with("connect-") && *name != "host" && *name != "accept"), "{seen:?}");
}

#[tokio::test]
async fn a_key_names_a_creation() {
    let rig = Rig::start().await;
    let create = async |key: &str, body: Value| {
        call(&rig, "CreateAccount", &[JSON, ("idempotency-key", key)], body.to_string()).await
    };
    assert_eq!(create(KEY, json!({})).await.json()["etag"], KEY);
    assert_eq!(create(&KEY.to_uppercase(), json!({"requestId": KEY})).await.json()["etag"], KEY);
    let other = create("another", json!({"requestId": KEY})).await;
    assert_eq!(told(&other), error(400, "invalid_argument", "CONFLICTING_VALUE"));
    let asked = pb::CreateAccountRequest::default().encode_to_vec();
    let answer = call(&rig, "CreateAccount", &[PROTO, ("idempotency-key", KEY)], asked).await;
    assert_eq!(pb::Account::decode(answer.body).unwrap().etag, KEY);
}
