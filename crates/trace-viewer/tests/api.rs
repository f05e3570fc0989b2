//! The whole viewer over its ports: spans exported as any service does, answers read as the pages do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use ::http::uri::PathAndQuery;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::span::{Link, SpanKind},
};
use prost::Message;
use serde_json::{Value, json};
use support::{
    Viewer, http,
    spans::{Build, MICROS, MILLIS, contact_lookup, from_service, int, now_ns, span, text},
};

fn names(data: &Value) -> Vec<&str> {
    data.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

fn trace_ids(data: &Value) -> Vec<&str> {
    data.as_array().unwrap().iter().filter_map(|trace| trace["traceID"].as_str()).collect()
}

fn hex(trace: u128) -> String {
    format!("{trace:032x}")
}

#[tokio::test]
async fn trace_has_the_json_of_jaeger() {
    let viewer = Viewer::start().await;
    let start = now_ns() / MILLIS * MILLIS;
    let root = span(0xa1, 1, 0, "GET /", start, 1_500 * MICROS)
        .kind(SpanKind::Server)
        .with("text", text("t"))
        .with("count", int(7))
        .with("big", int(i64::MAX))
        .failed("boom")
        .event("exception", 500 * MICROS, vec![]);
    let mut child = span(0xa1, 2, 1, "work", start + MILLIS, 100);
    let elsewhere =
        |trace: u128| Link { trace_id: trace.to_be_bytes().to_vec(), span_id: vec![3; 8], ..Link::default() };
    child.links.push(elsewhere(0xb2));
    viewer.export(vec![from_service("crm", vec![root, child])]).await;

    let data = viewer.data(&format!("/api/traces/{}", hex(0xa1))).await;
    let trace = &data[0];
    let process = trace["spans"][0]["processID"].as_str().unwrap();
    assert_eq!(trace["processes"][process]["serviceName"], "crm");
    assert_eq!(
        trace["spans"][0],
        json!({
            "traceID": hex(0xa1), "spanID": "0000000000000001", "operationName": "GET /", "references": [],
            "startTime": start / 1_000, "duration": 1_500, "processID": process, "warnings": null,
            "tags": [
                {"key": "span.kind", "type": "string", "value": "server"},
                {"key": "error", "type": "bool", "value": true},
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "otel.status_description", "type": "string", "value": "boom"},
                {"key": "text", "type": "string", "value": "t"},
                {"key": "count", "type": "int64", "value": 7},
                {"key": "big", "type": "int64", "value": "9223372036854775807"},
                {"key": "otel.scope.name", "type": "string", "value": "crm"},
                {"key": "otel.scope.version", "type": "string", "value": "0.1.0"},
            ],
            "logs": [{"timestamp": start / 1_000 + 500, "fields": [{"key": "event", "type": "string", "value": "exception"}]}],
        })
    );
    assert_eq!(
        trace["spans"][1]["references"],
        json!([
            {"refType": "CHILD_OF", "traceID": hex(0xa1), "spanID": "0000000000000001"},
            {"refType": "FOLLOWS_FROM", "traceID": hex(0xb2), "spanID": "0303030303030303"},
        ])
    );
    viewer.stop().await;
}

#[tokio::test]
async fn services_operations_and_graph_come_from_the_spans() {
    let viewer = Viewer::start().await;
    for trace in 1..=3 {
        viewer.export(contact_lookup(trace, now_ns() - MILLIS * 10, "globex", false)).await;
    }
    assert_eq!(names(&viewer.data("/api/services").await), ["customers", "gateway"]);
    let method = "crm.customers.v1.ContactService/GetContact";
    let operations = viewer.data("/api/services/gateway/operations").await;
    assert_eq!(names(&operations), ["GET /v1/contacts/{id}", method]);
    let served = viewer.data("/api/operations?service=customers&spanKind=server").await;
    assert_eq!(served, json!([{"name": method, "spanKind": "server"}]));
    assert_eq!(viewer.data("/api/operations?service=customers").await.as_array().unwrap().len(), 3);

    let now_ms = now_ns() / MILLIS;
    let graph = viewer.data(&format!("/api/dependencies?endTs={now_ms}&lookback=60000")).await;
    assert_eq!(graph, json!([{"parent": "gateway", "child": "customers", "callCount": 3}]));
    let earlier = viewer.data(&format!("/api/dependencies?endTs={}&lookback=60000", now_ms - 60_000)).await;
    assert_eq!(earlier, json!([]));
    viewer.stop().await;
}

#[tokio::test]
async fn traces_are_found_by_search_and_by_ids() {
    let viewer = Viewer::start().await;
    for (trace, account) in [(0x11, "globex"), (0x12, "initech")] {
        viewer.export(contact_lookup(trace, now_ns(), account, account == "initech")).await;
    }
    let by_tag = viewer.data("/api/traces?service=gateway&tags=%7B%22crm.account%22%3A%22initech%22%7D").await;
    assert_eq!(trace_ids(&by_tag), [hex(0x12)]);
    let by_logfmt = viewer.data("/api/traces?service=gateway&tags=crm.account%3Dglobex").await;
    assert_eq!(trace_ids(&by_logfmt), [hex(0x11)]);
    assert_eq!(trace_ids(&viewer.data("/api/traces?service=gateway&tags=error%3Dtrue").await), [hex(0x12)]);

    let (status, by_ids) = viewer.query("/api/traces?traceID=11&traceID=99&traceID=12").await;
    assert_eq!((status, trace_ids(&by_ids["data"])), (200, vec![&*hex(0x11), &*hex(0x12)]));
    assert_eq!(by_ids["errors"], json!([{"code": 404, "msg": "trace not found", "traceID": hex(0x99)}]));
    for suffix in ["", "?raw=true", "?prettyPrint=true"] {
        assert_eq!(trace_ids(&viewer.data(&format!("/api/traces/12{suffix}")).await), [hex(0x12)], "{suffix}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn bad_queries_get_json_errors() {
    let viewer = Viewer::start().await;
    let cases = [
        ("/api/traces", 400, "'service' is required"),
        ("/api/traces?service=a&minDuration=soon", 400, "'minDuration' must be a duration"),
        ("/api/traces?service=a&minDuration=2s&maxDuration=1s", 400, "'maxDuration' must not be less"),
        ("/api/traces?service=a&tags=%7B", 400, "'tags' must be a JSON object"),
        ("/api/traces?service=a&limit=-1", 400, "'limit' must be a whole number"),
        ("/api/traces?service=a&start=x", 400, "'start' must be a whole number"),
        ("/api/traces?traceID=xyz", 400, "'traceID' must be 1 to 32 hexadecimal digits"),
        ("/api/traces/not-hex", 400, "hexadecimal"),
        ("/api/traces/0", 400, "not all zero"),
        ("/api/traces/%FF", 400, ""),
        ("/api/traces/abcd", 404, "trace not found"),
        ("/api/operations", 400, "'service' is required"),
        ("/api/operations?service=a&spanKind=odd", 400, "'spanKind' must be"),
        ("/api/dependencies?endTs=x", 400, "'endTs' must be a whole number"),
        ("/api/nothing", 404, "no such query"),
    ];
    for (path, status, message) in cases {
        let (got, json) = viewer.query(path).await;
        assert_eq!(got, status, "{path}: {json}");
        assert_eq!(json["errors"][0]["code"], status, "{path}");
        assert!(json["errors"][0]["msg"].as_str().unwrap().contains(message), "{path}: {json}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn malformed_spans_hide_nothing() {
    let viewer = Viewer::start().await;
    let now = now_ns();
    let good = || span(0xc1, 1, 0, "good", now, MILLIS);
    let nameless = opentelemetry_proto::tonic::trace::v1::Span { span_id: vec![], ..good() };
    let traceless = opentelemetry_proto::tonic::trace::v1::Span { trace_id: vec![0; 16], ..good() };
    let mut backwards = span(0xc1, 5, 1, "backwards", now, MILLIS);
    backwards.end_time_unix_nano = now - 1;
    let spans = vec![
        nameless,
        good(),
        good(),
        span(0xc1, 2, 2, "own parent", now, MILLIS),
        span(0xc1, 3, 4, "circle a", now, MILLIS),
        span(0xc1, 4, 3, "circle b", now + 1, MILLIS),
        backwards,
        span(0xc1, 6, 999, "orphan", now, MILLIS),
        traceless,
    ];
    let told = viewer.export(vec![from_service("crm", spans)]).await.unwrap();
    assert_eq!(told.rejected_spans, 2);
    assert!(told.error_message.contains("1 × trace_id") && told.error_message.contains("1 × span_id"), "{told:?}");

    let data = viewer.data("/api/traces?service=crm").await;
    let spans = data[0]["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 6);
    let warning = |name: &str| {
        let span = spans.iter().find(|span| span["operationName"] == name).unwrap();
        span["warnings"][0].as_str().unwrap_or("").to_owned()
    };
    for (name, part) in [
        ("good", ""),
        ("own parent", "names itself"),
        ("circle a", "also a descendant"),
        ("backwards", "ends before it starts"),
        ("orphan", "00000000000003e7 has not arrived"),
    ] {
        assert!(
            warning(name).contains(part) && warning(name).is_empty() == part.is_empty(),
            "{name}: {}",
            warning(name)
        );
    }
    assert_eq!(viewer.metric("crm_viewer_spans_duplicate_total").await, 1.0);
    assert_eq!(viewer.metric("crm_viewer_spans_refused_total{reason=\"trace_id\"}").await, 1.0);
    viewer.stop().await;
}

#[tokio::test]
async fn trace_begun_elsewhere_is_listed_and_late_spans_join_it() {
    let viewer = Viewer::start().await;
    let now = now_ns();
    let entry = span(0xd1, 2, 77, "served", now, MILLIS).kind(SpanKind::Server).remote();
    viewer.export(vec![from_service("crm", vec![entry])]).await;
    let first = viewer.data("/api/traces?service=crm").await;
    assert_eq!((trace_ids(&first), &first[0]["spans"][0]["warnings"]), (vec![&*hex(0xd1)], &Value::Null));

    viewer.export(vec![from_service("client", vec![span(0xd1, 77, 0, "called", now - MILLIS, 3 * MILLIS)])]).await;
    let whole = viewer.data("/api/traces?service=crm").await;
    let names: Vec<_> = whole[0]["spans"].as_array().unwrap().iter().map(|span| &span["operationName"]).collect();
    assert_eq!(names, ["called", "served"]);
    viewer.stop().await;
}

#[tokio::test]
async fn protobuf_over_http_works_on_the_same_port_and_other_signals_are_refused() {
    let viewer = Viewer::start().await;
    let url = format!("http://{}/v1/traces", viewer.otlp);
    let mut spans = contact_lookup(0xe1, now_ns(), "globex", false);
    spans[0].scope_spans[0].spans[0].span_id.clear();
    let body = ExportTraceServiceRequest { resource_spans: spans }.encode_to_vec();
    let answer = http::post(&url, "application/x-protobuf", body).await;
    let told = ExportTraceServiceResponse::decode(answer.body).unwrap().partial_success.unwrap();
    assert_eq!((answer.status, told.rejected_spans), (200, 1));
    assert_eq!(http::post(&url, "application/x-protobuf", b"\xff".to_vec()).await.status, 400);
    assert_eq!(http::post(&url, "application/x-protobuf", vec![0; 5 << 20]).await.status, 413);

    let channel = tonic::transport::Endpoint::new(format!("http://{}", viewer.otlp)).unwrap().connect().await.unwrap();
    let mut metrics = tonic::client::Grpc::new(channel);
    metrics.ready().await.unwrap();
    let path = PathAndQuery::from_static("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let status = metrics.unary(tonic::Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    drop(metrics);
    viewer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_do_not_disturb_each_other() {
    let limits = crm_trace_viewer::Config { max_spans: 500, ..Default::default() };
    let viewer = std::sync::Arc::new(Viewer::start_with(limits).await);
    let write = |writer: u64| {
        let viewer = std::sync::Arc::clone(&viewer);
        tokio::spawn(async move {
            for call in 0..100 {
                let trace = u128::from(writer * 1_000 + call + 1);
                assert_eq!(viewer.export(contact_lookup(trace, now_ns(), "globex", call % 10 == 0)).await, None);
            }
        })
    };
    let read = |path: &'static str| {
        let viewer = std::sync::Arc::clone(&viewer);
        tokio::spawn(async move {
            for _ in 0..30 {
                let data = viewer.data(path).await;
                assert!(data.is_array());
            }
        })
    };
    let writers: Vec<_> = (0..4).map(write).collect();
    let paths = ["/api/traces?service=gateway&tags=error%3Dtrue&limit=50", "/api/services", "/api/dependencies"];
    let readers: Vec<_> = paths.into_iter().map(read).collect();
    for task in writers.into_iter().chain(readers) {
        task.await.unwrap();
    }
    assert!(viewer.metric("crm_viewer_spans").await <= 500.0);
    let (kept, gone) = (viewer.metric("crm_viewer_spans").await, viewer.metric("crm_viewer_spans_evicted_total").await);
    assert_eq!(kept + gone, viewer.metric("crm_viewer_spans_received_total").await);
    std::sync::Arc::into_inner(viewer).unwrap().stop().await;
}
