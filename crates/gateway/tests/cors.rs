//! Which pages may read answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use bytes::Bytes;
use crm_proto::customers as pb;
use http::{HeaderMap, Method, StatusCode};
use support::{Rig, web, wire, wire::Answer};

const OURS: (&str, &str) = ("origin", "https://shop.example");
const OTHER: (&str, &str) = ("origin", "https://evil.example");
const GET: &str = "/crm.customers.v1.AccountService/GetAccount";

async fn rig() -> Rig {
    Rig::start_with(1, |config| config.origins = "https://shop.example, http://localhost:3000".parse().unwrap()).await
}

/// What is told about other origins.
fn told(headers: &HeaderMap) -> Vec<&str> {
    let names = headers.keys().map(http::HeaderName::as_str);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn varies(answer: &Answer) -> bool {
    let lines = answer.headers.get_all("vary").iter().map(|line| line.to_str().unwrap());
    lines.flat_map(|line| line.split(", ")).any(|name| name.eq_ignore_ascii_case("origin"))
}

#[tokio::test]
async fn what_a_browser_asks_beforehand_needs_no_token() {
    let rig = rig().await;
    let wanted = "authorization,content-type,x-grpc-web,x-user-agent,grpc-timeout,connect-protocol-version,\
        connect-timeout-ms,if-match,if-none-match,idempotency-key,traceparent,tracestate,x-crm-timeout,X-Of-Mine";
    for (path, method) in [(GET, "POST"), ("/v1/accounts/7", "PATCH"), ("/v1/accounts/7", "DELETE"), ("/nope", "PUT")] {
        let asked = [OURS, ("access-control-request-method", method), ("access-control-request-headers", wanted)];
        let answer = wire::rest(rig.public, Method::OPTIONS, path, &asked, "").await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
        assert_eq!(answer.header("access-control-allow-origin"), OURS.1);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-max-age"), "7200");
        let listed = |name: &str| answer.header(name).split(", ").map(str::to_owned).collect::<Vec<_>>();
        assert!(listed("access-control-allow-methods").contains(&method.to_owned()), "{answer:?}");
        let allowed = listed("access-control-allow-headers");
        assert!(wanted.split(',').all(|name| allowed.contains(&name.to_ascii_lowercase())), "{allowed:?}");
        assert!(varies(&answer) && answer.headers.get("allow").is_none());
    }
}

#[tokio::test]
async fn other_origins_and_other_questions_are_answered_as_ever() {
    let (rig, plain) = (rig().await, Rig::start().await);
    let asks = ("access-control-request-method", "PATCH");
    for headers in [&[OTHER, asks][..], &[asks], &[OURS], &[], &[("origin", "null"), asks]] {
        let answer = wire::rest(rig.public, Method::OPTIONS, "/v1/accounts/7", headers, "").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{headers:?}");
        assert!(answer.header("allow").contains("PATCH") && varies(&answer), "{headers:?}");
        assert_eq!(told(&answer.headers).is_empty(), !headers.contains(&OURS), "{answer:?}");
    }
    for origin in ["https://evil.example", "http://shop.example", "https://shop.example:444", "https://shop.example."] {
        let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &[("origin", origin)], "").await;
        assert!(told(&answer.headers).is_empty() && varies(&answer), "{origin}: {answer:?}");
    }
    // Where none is configured, nothing is said at all.
    let answer = wire::rest(plain.public, Method::OPTIONS, "/v1/accounts/7", &[OURS, asks], "").await;
    assert!(told(&answer.headers).is_empty() && !varies(&answer), "{answer:?}");
}

#[tokio::test]
async fn answers_and_refusals_can_be_read() {
    let rig = rig().await;
    let bearer = format!("Bearer {}", rig.token());
    let token = ("authorization", bearer.as_str());
    let large = "x".repeat(15_500);
    let long = "x".repeat((1 << 20) + 1);
    let check = async |method: Method, path: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        let headers = [&[OURS], headers].concat();
        let answer = wire::rest(rig.public, method, path, &headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), OURS.1, "{path} {status}");
        assert!(varies(&answer), "{path} {status}");
        let exposed = answer.header("access-control-expose-headers").to_owned();
        let exposed: Vec<&str> = exposed.split(", ").collect();
        for name in ["etag", "grpc-status", "grpc-message", "grpc-status-details-bin", "x-trace-id", "retry-after"] {
            assert!(exposed.contains(&name), "{exposed:?}");
        }
        assert!(!exposed.contains(&"*"), "{exposed:?}");
    };
    let json = ("content-type", "application/json");
    check(Method::GET, "/v1/accounts/at-v2", &[token], "", 200).await;
    check(Method::GET, "/v1/accounts/7", &[], "", 401).await;
    check(Method::GET, "/nope", &[], "", 404).await;
    check(Method::POST, "/v1/accounts/7", &[], "", 405).await;
    check(Method::POST, "/v1/accounts", &[token, json], &long, 413).await;
    check(Method::GET, "/v1/accounts/7", &[token, ("x-large", &large)], "", 431).await;
    check(Method::GET, "/v1/accounts/unavailable", &[token], "", 503).await;
    check(Method::GET, "/v1/accounts:export?filter=3", &[token], "", 200).await;
    check(Method::GET, "/openapi.json", &[], "", 200).await;
    check(Method::POST, GET, &[token, json], r#"{"id": "7"}"#, 200).await;
    check(Method::POST, GET, &[json], "{}", 401).await;
    check(Method::POST, GET, &[token], "{}", 415).await;
    check(Method::POST, GET, &[("content-type", "application/grpc-web")], "", 200).await;
    check(Method::POST, GET, &[("content-type", "application/grpc-web+json")], "", 415).await;
}

#[tokio::test]
async fn metadata_of_an_answer_can_be_read() {
    let rig = rig().await;
    let bearer = format!("Bearer {}", rig.token());
    let web: Bytes = web::body(&pb::GetAccountRequest { id: "7".into() });
    for (kind, body, name) in [
        ("application/json", Bytes::from_static(b"{}"), "trailer-x-cost"),
        ("application/grpc-web+proto", web, "x-head"),
    ] {
        let headers = [OURS, ("authorization", bearer.as_str()), ("content-type", kind), (support::echo::ASKED, "1")];
        let answer = wire::rest(rig.public, Method::POST, GET, &headers, body).await;
        let exposed = answer.header("access-control-expose-headers").to_owned();
        assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}: {answer:?}");
        assert!(!answer.header(name).is_empty());
    }
}
