//! Conditional requests, and headers that say two things.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use http::{Method, StatusCode};
use support::{Rig, wire};
use tonic::Code;

/// A REST call with a token and with headers of its own.
async fn rest(rig: &Rig, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> wire::Answer {
    let bearer = format!("Bearer {}", rig.token());
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    wire::rest(rig.public, method, path, &headers, body.to_owned()).await
}

async fn check_write(rig: &Rig, method: &Method, headers: &[(&str, &str)], body: &str, expected: StatusCode) {
    let answer = rest(rig, method.clone(), "/v1/accounts/at-v2", headers, body).await;
    assert_eq!(answer.status, expected, "{method} {headers:?} {body}: {}", answer.text());
    if matches!(expected, StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED) {
        assert_eq!(answer.reason(), "ETAG_MISMATCH", "{method} {headers:?}");
        assert_eq!(answer.json()["code"], i32::from(Code::Aborted));
    }
}

#[tokio::test]
async fn a_write_is_done_in_the_states_that_the_header_names_and_in_no_other() {
    let rig = Rig::start().await;
    let (ok, failed) = (StatusCode::OK, StatusCode::PRECONDITION_FAILED);
    for method in [Method::PATCH, Method::DELETE] {
        let check = async |lines: &[&str], expected| {
            let headers: Vec<_> = lines.iter().map(|line| ("if-match", *line)).collect();
            check_write(&rig, &method, &headers, "", expected).await;
        };
        check(&[], ok).await;
        check(&["\"v2\""], ok).await;
        check(&["\"v1\""], failed).await;
        check(&["*"], ok).await;
        check(&["\"v1\", \"v0\", \"v2\""], ok).await;
        check(&["\"v1\"", "\"v2\""], ok).await;
        check(&["\"v1\", \"v3\""], failed).await;
        check(&["W/\"v2\""], failed).await;
        check(&["v2"], StatusCode::BAD_REQUEST).await;
    }
    let patch = Method::PATCH;
    check_write(&rig, &patch, &[], r#"{"etag":"v1"}"#, StatusCode::CONFLICT).await;
    check_write(&rig, &patch, &[("if-match", "*")], r#"{"etag":"v1"}"#, StatusCode::CONFLICT).await;
    check_write(&rig, &patch, &[("if-match", "\"v1\"")], r#"{"etag":"v1"}"#, failed).await;
    check_write(&rig, &patch, &[("if-match", "\"v2\"")], r#"{"etag":"v2"}"#, ok).await;
    let two = rest(&rig, patch, "/v1/accounts/at-v2", &[("if-match", "\"v2\"")], r#"{"etag":"v1"}"#).await;
    assert_eq!((two.status, two.reason().as_str()), (StatusCode::BAD_REQUEST, "CONFLICTING_VALUE"));
}

#[tokio::test]
async fn states_are_tried_in_turn_and_only_while_they_are_stale() {
    let rig = Rig::start().await;
    let calls = || rig.seen().calls.swap(0, SeqCst);
    let list = [("if-match", "\"v1\", W/\"v2\", \"v2\", \"v3\", \"v1\"")];
    check_write(&rig, &Method::DELETE, &list, "", StatusCode::OK).await;
    assert_eq!(calls(), 2, "what did not fail is not done again");
    let answer = rest(&rig, Method::DELETE, "/v1/accounts/at-odds", &list, "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::CONFLICT, "TRANSACTION_CONFLICT"));
    assert_eq!(calls(), 1, "a conflict is no stale state");
    check_write(&rig, &Method::DELETE, &[("if-match", "W/\"v2\"")], "", StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(calls(), 0, "no state can meet it");
}

#[tokio::test]
async fn a_tag_that_was_given_is_understood() {
    let rig = Rig::start().await;
    let read = rest(&rig, Method::GET, "/v1/accounts/at-v2", &[], "").await;
    let tag = read.header("etag").to_owned();
    assert_eq!(tag, "\"v2\"");
    let body = read.text();
    let answer = rest(&rig, Method::PATCH, "/v1/accounts/at-v2", &[("if-match", &tag)], &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let created = rest(&rig, Method::POST, "/v1/accounts?requestId=r1", &[], "{}").await;
    assert_eq!(created.header("etag"), "\"r1\"");
    let deleted = rest(&rig, Method::DELETE, "/v1/accounts/7?etag=%22x%22", &[], "").await;
    assert_eq!(deleted.header("etag"), "\"%22x%22\"");
    let again = rest(&rig, Method::DELETE, "/v1/accounts/7", &[("if-match", deleted.header("etag"))], "").await;
    assert_eq!(again.json()["etag"], "\"x\"");
    let list = rest(&rig, Method::GET, "/v1/accounts", &[("if-none-match", "*")], "").await;
    assert_eq!((list.status, list.header("etag")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn what_a_reader_has_is_not_sent_again() {
    let rig = Rig::start().await;
    let path = "/v1/accounts/at-v2";
    for method in [Method::GET, Method::HEAD] {
        for tags in ["\"v2\"", "\"v1\", W/\"v2\"", "*"] {
            let answer = rest(&rig, method.clone(), path, &[("if-none-match", tags)], "").await;
            assert_eq!((answer.status, answer.header("etag")), (StatusCode::NOT_MODIFIED, "\"v2\""), "{tags}");
            assert!(answer.body.is_empty() && answer.headers.get("content-type").is_none(), "{tags}");
            assert!(answer.headers.get("grpc-status").is_none());
        }
        let answer = rest(&rig, method, path, &[("if-none-match", "\"v1\"")], "").await;
        assert_eq!((answer.status, answer.header("etag")), (StatusCode::OK, "\"v2\""));
    }
    let both = [("if-match", "\"v1\""), ("if-none-match", "\"v2\"")];
    let answer = rest(&rig, Method::GET, path, &both, "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::PRECONDITION_FAILED, "ETAG_MISMATCH"));
    let missing = rest(&rig, Method::GET, "/v1/accounts/missing", &[("if-none-match", "*")], "").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_condition_that_nobody_checks_is_refused_by_name() {
    let rig = Rig::start().await;
    for (method, path, name, value) in [
        (Method::POST, "/v1/accounts?requestId=r", "If-Match", "\"v1\""),
        (Method::GET, "/v1/accounts", "If-Match", "\"v1\""),
        (Method::GET, "/v1/accounts:export?filter=1", "If-Match", "*"),
        (Method::POST, "/v1/accounts?requestId=r", "If-None-Match", "*"),
        (Method::PATCH, "/v1/accounts/7", "If-Unmodified-Since", "Sat, 29 Oct 1994 19:43:31 GMT"),
    ] {
        let answer = rest(&rig, method.clone(), path, &[(name, value)], "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path} {name}");
        assert_eq!(answer.json()["details"][0]["fieldViolations"][0]["field"], name, "{method} {path}");
    }
    assert_eq!(rig.seen().calls.load(SeqCst), 0, "nothing was forwarded");
}

/// Headers of one value, and two values that are both fine.
const PAIRS: [(&str, [&str; 2]); 6] = [
    ("idempotency-key", ["01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"]),
    ("x-crm-timeout", ["1s", "2s"]),
    ("x-crm-priority", ["interactive", "bulk"]),
    ("x-crm-anything", ["1", "2"]),
    ("content-encoding", ["identity", "gzip"]),
    ("content-type", ["application/json", "text/plain"]),
];

#[tokio::test]
async fn a_header_that_says_two_things_is_refused_over_rest() {
    let rig = Rig::start().await;
    let path = "/v1/accounts?requestId=01890A5D-AC96-774B-BCCE-B302099A8057";
    for (name, [one, other]) in PAIRS {
        let same = rest(&rig, Method::POST, path, &[(name, one), (name, one)], "{}").await;
        assert_eq!(same.status, StatusCode::OK, "{name}: {}", same.text());
        let differing = rest(&rig, Method::POST, path, &[(name, one), (name, other)], "{}").await;
        check_refused(&differing, name);
    }
    let key = ("idempotency-key", PAIRS[0].1[1]);
    let differing = rest(&rig, Method::POST, path, &[key], "{}").await;
    assert_eq!((differing.status, differing.reason().as_str()), (StatusCode::BAD_REQUEST, "CONFLICTING_VALUE"));
    let hosts = rest(&rig, Method::GET, "/v1/accounts/7", &[("host", "other.example")], "").await;
    assert_eq!((hosts.status, hosts.reason().as_str()), (StatusCode::BAD_REQUEST, "HOST_INVALID"));
    let tokens = rest(&rig, Method::GET, "/v1/accounts/7", &[("authorization", "Bearer other")], "").await;
    check_refused(&tokens, "authorization");
}

fn check_refused(answer: &wire::Answer, name: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {}", answer.text());
    assert_eq!(answer.reason(), "CONFLICTING_VALUE", "{name}");
    let fields: Vec<_> = answer.json()["details"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert!(fields.iter().any(|detail| detail.contains(&format!("\"field\":\"{name}\""))), "{name}: {fields:?}");
}

#[tokio::test]
async fn a_header_that_says_two_things_is_refused_over_grpc() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let grpc = wire::Grpc::connect(rig.public).await;
    let call = async |lines: &[(&str, &str)]| {
        let headers = [&[("authorization", bearer.as_str())], lines].concat();
        let path = "/crm.customers.v1.AccountService/GetAccount";
        let answer = grpc.raw(path, &headers, Bytes::from_static(b"\0\0\0\0\x03\x0a\x017")).await;
        answer.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned())
    };
    let others = [("grpc-timeout", ["1S", "2S"]), ("grpc-encoding", ["identity", "gzip"])];
    for (name, [one, other]) in PAIRS.into_iter().chain(others) {
        if name == "content-type" {
            continue;
        }
        assert_eq!(call(&[(name, one), (name, one)]).await, None, "{name}");
        assert_eq!(call(&[(name, one), (name, other)]).await.as_deref(), Some("3"), "{name}");
    }
    assert_eq!(call(&[("content-type", "application/grpc")]).await, None);
    assert_eq!(call(&[("content-type", "application/grpc+proto")]).await.as_deref(), Some("3"));
    assert_eq!(call(&[("authorization", "Bearer other")]).await.as_deref(), Some("3"));
    assert_eq!(call(&[("mine", "1"), ("mine", "2")]).await, None);
    let upper = PAIRS[0].1[0].to_uppercase();
    assert_eq!(call(&[("idempotency-key", PAIRS[0].1[0]), ("idempotency-key", &upper)]).await, None);
}
