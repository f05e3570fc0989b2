//! REST and JSON on one side, gRPC on the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Rig, wire};

async fn check(rig: &Rig, method: Method, path: &str, body: Value, expected: Value) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let answer = rig.rest(method.clone(), path, &text).await;
    assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json", "{method} {path}");
    let json = answer.json();
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&json[field], value, "{method} {path}: {json}");
    }
}

#[tokio::test]
async fn every_annotated_unary_rpc_answers_over_rest() {
    let rig = Rig::start().await;
    let none = || Value::Null;
    for (one, many) in [("account", "accounts"), ("contact", "contacts")] {
        let at = |rest: &str| format!("/v1/{many}{rest}");
        let name = if one == "account" { "name" } else { "givenName" };
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        check(
            &rig,
            Method::POST,
            &at(&format!("?requestId={id}")),
            json!({name: "Ada"}),
            json!({"id": "new", name: "Ada", "etag": id}),
        )
        .await;
        check(&rig, Method::GET, &at("/7"), none(), json!({"id": "7"})).await;
        check(&rig, Method::GET, &at(":batchGet?ids=1&ids=2"), none(), json!({})).await;
        let query = "?pageSize=3&filter=owner%20%3D%20%22ada%22&order_by=update_time+desc&showDeleted=true";
        let told = json!({"nextPageToken": "3|owner = \"ada\"|update_time desc|true"});
        check(&rig, Method::GET, &at(query), none(), told).await;
        check(
            &rig,
            Method::PATCH,
            &at(&format!("/7?updateMask={name},owner")),
            json!({name: "Bob"}),
            json!({"id": "7", name: "Bob"}),
        )
        .await;
        check(&rig, Method::DELETE, &at("/7?etag=x"), none(), json!({"id": "7", "etag": "x"})).await;
        check(&rig, Method::POST, &at("/7:undelete"), json!({"etag": "y"}), json!({"id": "7", "etag": "y"})).await;
    }
    let batch = rig.get("/v1/accounts:batchGet?ids=1&ids=2").await.json();
    assert_eq!(batch["accounts"][1]["id"], "2");
}

#[tokio::test]
async fn json_is_proto3_json() {
    let rig = Rig::start().await;
    let account = rig.get("/v1/accounts/7").await.json();
    assert_eq!(account["employees"], 7);
    assert!(account.get("annual_revenue").is_none(), "{account}");
    let body =
        r#"{"annual_revenue": {"currency_code": "EUR", "units": "12", "nanos": 500000000}, "foundedYear": 1999}"#;
    let account = rig.rest(Method::POST, "/v1/accounts", body).await.json();
    assert_eq!(account["annualRevenue"]["currencyCode"], "EUR");
    assert_eq!(account["annualRevenue"]["units"], "12");
    assert_eq!(account["foundedYear"], 1999);
}

#[tokio::test]
async fn idempotency_key_is_the_request_id_of_a_creation() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", id)];
    let answer = wire::rest(rig.public, Method::POST, "/v1/accounts", &headers, r#"{"name":"Acme"}"#).await;
    assert_eq!(answer.json()["etag"], id, "{}", answer.text());
}

#[tokio::test]
async fn errors_of_the_service_keep_code_reason_and_retry_delay() {
    let rig = Rig::start().await;
    let missing = rig.get("/v1/accounts/missing").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["code"], 5);
    assert_eq!(missing.json()["message"], "no such account");
    assert_eq!(missing.reason(), "ACCOUNT_NOT_FOUND");
    assert!(missing.headers.get("grpc-status").is_none());
    let busy = rig.get("/v1/accounts/busy").await;
    assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(busy.header("retry-after"), "2");
}

#[tokio::test]
async fn requests_that_do_not_fit_are_refused_with_every_fault() {
    let rig = Rig::start().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let cases = [
        (Method::POST, "/v1/accounts", "{\"name\": "),
        (Method::POST, "/v1/accounts", "[]"),
        (Method::POST, "/v1/accounts", "{\"name\": 7}"),
        (Method::POST, "/v1/accounts", "{\"colour\": \"red\"}"),
        (Method::POST, "/v1/accounts", deep.as_str()),
        (Method::GET, "/v1/accounts?pageSize=many", ""),
        (Method::GET, "/v1/accounts?colour=red", ""),
    ];
    for (method, path, body) in cases {
        let answer = rig.rest(method, path, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert_eq!(answer.json()["code"], 3, "{path} {body}");
        let details = answer.json()["details"].to_string();
        assert!(details.contains("fieldViolations"), "{path} {body}: {details}");
    }
    assert_eq!(rig.seen().calls.load(std::sync::atomic::Ordering::SeqCst), 0, "nothing was forwarded");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_gateway_lives_on() {
    let rig = Rig::start_with(1, |config| config.calls.max_body_bytes = 1000).await;
    let large = json!({"name": "x".repeat(2000)}).to_string();
    let answer = rig.rest(Method::POST, "/v1/accounts", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.reason(), "BODY_TOO_LARGE");
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
}

#[tokio::test]
async fn paths_and_methods_that_there_are_not() {
    let rig = Rig::start().await;
    let nowhere = rig.get("/v1/nothing").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert_eq!(nowhere.json()["code"], 5);
    let wrong = rig.rest(Method::PUT, "/v1/accounts/7", "").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.header("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH");
    let options = rig.rest(Method::OPTIONS, "/v1/accounts/7", "").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    assert_eq!(options.header("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH");
    let head = rig.rest(Method::HEAD, "/v1/accounts/7", "").await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn the_callers_timeout_is_passed_on_and_capped() {
    let rig = Rig::start_with(1, |config| config.calls.max_timeout = std::time::Duration::from_secs(20)).await;
    let bearer = format!("Bearer {}", rig.token());
    for (given, at_most) in [("500ms", 500_u64), ("1m", 20_000)] {
        let headers = [("authorization", bearer.as_str()), ("x-crm-timeout", given), ("ask-for", "grpc-timeout")];
        let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/header", &headers, "").await;
        let text = answer.json()["name"].as_str().unwrap().to_owned();
        let millis = wire::millis(&text);
        assert!(millis <= at_most && millis > at_most / 2, "{given}: {text}");
    }
    let headers = [("authorization", bearer.as_str()), ("x-crm-timeout", "soon")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &headers, "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::BAD_REQUEST, "INVALID_HEADER"));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_cut_and_cancelled_behind() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("x-crm-timeout", "100ms")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/hang", &headers, "").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{}", answer.text());
    assert_eq!(answer.json()["code"], 4);
    support::eventually("the work behind is cancelled", async || {
        rig.seen().running.load(std::sync::atomic::Ordering::SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn internal_and_hop_by_hop_headers_stop_at_the_gateway() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-crm-role", "admin"),
        ("x-crm-priority", "bulk"),
        ("connection", "x-secret"),
        ("x-secret", "1"),
        ("x-mine", "2"),
    ];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/names", &headers, "").await;
    let names = answer.json()["name"].as_str().unwrap().to_owned();
    let has = |name: &str| names.split(',').any(|one| one == name);
    assert!(has("authorization") && has("x-crm-priority") && has("x-mine"), "{names}");
    assert!(!has("x-crm-role") && !has("x-secret") && !has("connection"), "{names}");
}

#[tokio::test]
async fn headers_about_an_encoding_describe_the_json_and_not_the_call() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let of_grpc = [("authorization", bearer.as_str()), ("grpc-encoding", "gzip"), ("grpc-timeout", "0n")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/names", &of_grpc, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.text().contains("grpc-encoding"), "{}", answer.text());
    for (encoding, expected) in [("gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("identity", StatusCode::OK)] {
        let headers = [("authorization", bearer.as_str()), ("content-encoding", encoding)];
        let answer = wire::rest(rig.public, Method::PATCH, "/v1/accounts/7", &headers, "{}").await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
}
