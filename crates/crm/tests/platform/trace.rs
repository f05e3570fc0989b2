//! One trace runs through all processes.

use std::collections::BTreeSet;

use ::http::Method;
use serde_json::Value;

use crate::http;
use crate::platform::{Platform, eventually};

async fn spans_of(viewer: &str, trace_id: &str) -> Vec<Value> {
    let answer = http::send(viewer, Method::GET, &format!("/api/traces/{trace_id}"), Value::Null).await;
    let json: Value = answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
    json["data"][0]["spans"].as_array().cloned().unwrap_or_default()
}

fn tag<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    span["tags"].as_array()?.iter().find(|tag| tag["key"] == key).map(|tag| &tag["value"])
}

/// Spans whose parent is not among them.
fn roots(spans: &[Value]) -> Vec<&Value> {
    let ids: BTreeSet<_> = spans.iter().filter_map(|span| span["spanID"].as_str()).collect();
    let parent = |span: &Value| span["references"][0]["spanID"].as_str().map(str::to_owned);
    spans.iter().filter(|span| parent(span).is_none_or(|parent| !ids.contains(parent.as_str()))).collect()
}

#[tokio::test]
async fn a_request_leaves_one_whole_trace_and_a_cached_read_at_most_six_spans() {
    let platform = Platform::start().await;
    let viewer = platform.address("viewer");
    let id = platform.create_account("Trace Test").await.unwrap();

    let traced = async |path: &str| {
        let answer = platform.call(Method::GET, path, Value::Null).await.unwrap();
        answer.headers["x-trace-id"].to_str().unwrap().to_owned()
    };
    let cold = traced("/v1/accounts?filter=name%3D%22Trace*%22").await;
    platform.get_account(&id).await.unwrap();
    platform.get_account(&id).await.unwrap();
    let cached = traced(&format!("/v1/accounts/{id}")).await;

    for (trace_id, must_have) in [(&cold, "db.query.text"), (&cached, "crm.cache.tier")] {
        // Each process sends its spans when it likes: until all have come, the trace is in pieces.
        let complete = eventually(|| async {
            let spans = spans_of(&viewer, trace_id).await;
            let told = spans.iter().any(|span| tag(span, must_have).is_some());
            spans.len() >= 4 && told && roots(&spans).len() == 1
        });
        let complete = complete.await;
        let spans = spans_of(&viewer, trace_id).await;
        assert!(complete, "{must_have} is missing, or the trace in pieces: {spans:#?}");
        let services: BTreeSet<_> = spans.iter().filter_map(|span| span["processID"].as_str()).collect();
        assert!(services.len() >= 2, "{spans:#?}");
    }
    assert!(spans_of(&viewer, &cached).await.len() <= 6);
}
