//! Large messages become JSON, and come of it, beside the workers: each form of call, and no small one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use http::Method;
use serde_json::json;
use support::{Rig, wire};

/// How many there were in this process; so there is one test here.
async fn turns(rig: &Rig) -> u64 {
    let text = wire::rest(rig.admin, Method::GET, "/metrics", &[], "").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix("crm_gateway_large_messages_total "));
    line.map_or(0, |count| count.parse().unwrap())
}

/// Makes a call, and tells how many of its messages were large.
async fn large(rig: &Rig, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> u64 {
    let (before, bearer) = (turns(rig).await, format!("Bearer {}", rig.token()));
    let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
    let answer = wire::rest(rig.public, method, path, &headers, body.to_owned()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    turns(rig).await - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_large_has_a_turn_of_its_own() {
    let rig = Rig::start().await;
    let json = ("content-type", "application/json");
    let rpc = |method: &str| format!("/crm.customers.v1.AccountService/{method}");
    let named = |length: usize| json!({"name": "x".repeat(length)}).to_string();
    let whole = |length: usize| json!({"account": {"name": "x".repeat(length)}, "requestId": "1"}).to_string();
    for (body, expected) in [(named(1_000), 0), (named(100_000), 2)] {
        assert_eq!(large(&rig, Method::POST, "/v1/accounts?requestId=1", &[], &body).await, expected);
    }
    for (body, expected) in [(whole(1_000), 0), (whole(100_000), 2)] {
        assert_eq!(large(&rig, Method::POST, &rpc("CreateAccount"), &[json], &body).await, expected);
    }
    for (filter, expected) in [("few", 0), ("many", 1)] {
        let path = format!("/v1/accounts?filter={filter}");
        assert_eq!(large(&rig, Method::GET, &path, &[], "").await, expected, "{filter}");
        assert_eq!(large(&rig, Method::GET, &path, &[("accept-encoding", "gzip")], "").await, expected, "{filter}");
        let body = json!({"filter": filter}).to_string();
        assert_eq!(large(&rig, Method::POST, &rpc("ListAccounts"), &[json], &body).await, expected, "{filter}");
    }
    for accept in ["application/x-ndjson", "text/event-stream"] {
        for (filter, expected) in [("100", 0), ("huge", 3)] {
            let path = format!("/v1/accounts:export?filter={filter}");
            assert_eq!(large(&rig, Method::GET, &path, &[("accept", accept)], "").await, expected, "{accept} {filter}");
        }
    }
}
