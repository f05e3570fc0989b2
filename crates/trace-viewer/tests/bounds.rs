//! Who may send and read, and how much of the memory is one sender's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use ::http::{Method, Request};
use bytes::Bytes;
use crm_trace_viewer::Config;
use serde_json::{Value, json};
use support::{
    Viewer,
    http::{self, Answer},
    spans::{MILLIS, from_service, now_ns, span},
};

#[tokio::test]
async fn pages_of_named_origins_may_send_and_others_may_not() {
    let origins = "https://shop.example,http://localhost:3000".parse().unwrap();
    let open = Viewer::start_with(Config { origins, ..Config::default() }).await;
    let closed = Viewer::start().await;
    let shop = "https://shop.example";
    for (viewer, origin, allowed) in [
        (&open, shop, true),
        (&open, "http://localhost:3000", true),
        (&open, "https://shop.example.evil.example", false),
        (&open, "http://shop.example", false),
        (&open, "null", false),
        (&closed, shop, false),
    ] {
        let asks = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-encoding,content-type"),
        ];
        let answer = viewer.send_traces(Method::OPTIONS, &asks, "").await;
        let of = |answer: &Answer, name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let expected = allowed.then(|| origin.to_owned());
        assert_eq!(of(&answer, "access-control-allow-origin"), expected, "{origin}");
        assert_eq!(of(&answer, "access-control-allow-methods").is_some(), allowed);
        let headers = allowed.then(|| "content-encoding,content-type".to_owned());
        assert_eq!(of(&answer, "access-control-allow-headers"), headers);

        let sent = [("origin", origin), ("content-type", "application/json")];
        let answer = viewer.post_traces(&sent, "{}").await;
        assert_eq!((answer.status, of(&answer, "access-control-allow-origin")), (200, expected));
        // A page that may send may see why it may not.
        let answer = viewer.post_traces(&[("origin", origin)], "").await;
        assert_eq!((answer.status, of(&answer, "access-control-allow-origin").is_some()), (415, allowed));
        let vary = of(&answer, "vary");
        assert_eq!(vary.is_some(), std::ptr::eq(viewer, &open), "caches keep the answers of origins apart");
    }
    open.stop().await;
    closed.stop().await;
}

#[tokio::test]
async fn a_name_that_anybody_can_register_reads_and_writes_nothing() {
    let viewer = Viewer::start().await;
    for (host, allowed) in
        [("localhost", true), ("127.0.0.1:16686", true), ("evil.example", false), ("localhost.evil.example", false)]
    {
        for path in ["/api/services", "/", "/static/x.js"] {
            let request = Request::get(viewer.url(path)).header("host", host).body(Bytes::new().into()).unwrap();
            assert_eq!(http::send(request).await.status != 403, allowed, "{host} {path}");
        }
        let headers = [("host", host), ("content-type", "application/json")];
        let answer = viewer.post_traces(&headers, "{}").await;
        assert_eq!(answer.status, if allowed { 200 } else { 403 }, "{host}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn a_trace_of_more_spans_than_are_kept_says_so_where_it_is_read() {
    let viewer = Viewer::start_with(Config { max_spans: 100, ..Config::default() }).await;
    let spans = |trace: u128, ids: std::ops::RangeInclusive<u64>| {
        let start = now_ns();
        ids.map(|id| span(trace, id, u64::from(id > 1), "work", start + id, MILLIS)).collect::<Vec<_>>()
    };
    viewer.export(vec![from_service("crm", spans(0xa1, 1..=3))]).await;
    let told = viewer.export(vec![from_service("crm", spans(0xa2, 1..=40))]).await.unwrap();
    assert_eq!(told.rejected_spans, 15, "{}", told.error_message);
    let whole = viewer.data("/api/traces/a1").await;
    assert_eq!((&whole[0]["warnings"], &whole[0]["spans"][0]["warnings"]), (&Value::Null, &Value::Null));
    let cut = viewer.data("/api/traces/a2").await;
    let warning = cut[0]["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("15 spans of this trace were refused"), "{warning}");
    assert_eq!(cut[0]["spans"][0]["warnings"], json!([warning]), "the pages show a span's warnings only");
    assert_eq!(cut[0]["spans"][1]["warnings"], Value::Null);
    viewer.stop().await;
}

#[tokio::test]
async fn one_huge_export_leaves_what_was_there() {
    let viewer = Viewer::start_with(Config { max_spans: 100, ..Config::default() }).await;
    for trace in 1..=40 {
        viewer.export(vec![from_service("here", vec![span(trace, 1, 0, "work", now_ns(), MILLIS)])]).await;
    }
    let huge = (1_000..1_200_u128).map(|trace| span(trace, 1, 0, "work", now_ns(), MILLIS)).collect();
    let told = viewer.export(vec![from_service("huge", huge)]).await.unwrap();
    assert_eq!(told.rejected_spans, 150);
    assert!(told.error_message.contains("150 × one export may fill half"), "{}", told.error_message);
    assert_eq!(viewer.data("/api/traces?service=here&limit=1000").await.as_array().unwrap().len(), 40);
    assert_eq!(viewer.metric("crm_viewer_spans_refused_total{reason=\"export_full\"}").await, 150.0);
    viewer.stop().await;
}
