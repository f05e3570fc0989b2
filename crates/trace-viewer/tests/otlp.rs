//! OTLP as SDKs, collectors and browsers send it, and as nobody should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{convert::Infallible, io::Write};

use ::http::Request;
use axum::body::Body;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt, stream};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::ResourceSpans,
};
use prost::Message;
use serde_json::{Value, json};
use support::{
    Viewer, http,
    spans::{MILLIS, contact_lookup, from_service, now_ns, span},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle};

const PROTOBUF: &str = "application/x-protobuf";
const MIB: usize = 1 << 20;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(plain).unwrap();
    packed.finish().unwrap()
}

fn export(resource_spans: Vec<ResourceSpans>) -> Vec<u8> {
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn one_span(trace: u128) -> Vec<u8> {
    export(vec![from_service("crm", vec![span(trace, 1, 0, "GET /", now_ns(), MILLIS)])])
}

/// The `google.rpc.Status` of an answer in protobuf.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[tokio::test]
async fn http_takes_every_spelling_of_what_it_takes_and_says_what_it_does_not() {
    let viewer = Viewer::start().await;
    let plain = one_span(0xf1);
    let packed = gzip(&plain);
    let in_parts = [gzip(&plain[..9]), gzip(&plain[9..])].concat();
    let cut = packed[..packed.len() - 9].to_vec();
    let bomb = gzip(&vec![0; 4 * MIB + 1]);
    let (json, media) = (b"{}".to_vec(), "content-type");
    let packing = "content-encoding";
    for (headers, body, status) in [
        (vec![(media, PROTOBUF)], plain.clone(), 200),
        (vec![(media, "Application/X-Protobuf; v=1")], plain.clone(), 200),
        (vec![(media, "application/json")], json.clone(), 200),
        (vec![(media, "application/JSON ;charset=utf-8")], json.clone(), 200),
        (vec![(media, PROTOBUF)], Vec::new(), 200),
        (vec![(media, PROTOBUF), (packing, "gzip")], packed.clone(), 200),
        (vec![(media, PROTOBUF), (packing, "GZip")], in_parts, 200),
        (vec![(media, PROTOBUF), (packing, "identity")], plain.clone(), 200),
        (vec![(media, "application/json"), (packing, "gzip")], gzip(&json), 200),
        (vec![(media, PROTOBUF), (packing, "gzip")], plain.clone(), 400),
        (vec![(media, PROTOBUF), (packing, "gzip")], cut, 400),
        (vec![(media, PROTOBUF), (packing, "gzip")], Vec::new(), 400),
        (vec![(media, PROTOBUF)], packed.clone(), 400),
        (vec![(media, "application/json")], Vec::new(), 400),
        (vec![(media, "application/json")], b"[]".to_vec(), 400),
        (vec![(media, "application/json")], b"{\"resourceSpans\":[{}".to_vec(), 400),
        (vec![(media, "application/json")], b"{\"resourceSpans\":[[]]}".to_vec(), 400),
        (vec![(media, "application/json")], b"{\"resourceSpans\":[{\"scopeSpans\":[[]]}]}".to_vec(), 400),
        (vec![(media, "application/json")], b" {\"resourceSpans\":null}".to_vec(), 200),
        (vec![(media, "application/json")], b"{\"resourceSpans\":\"\xff\"}".to_vec(), 400),
        (vec![(media, PROTOBUF)], vec![0; 4 * MIB + 1], 413),
        (vec![(media, PROTOBUF), (packing, "gzip")], bomb.clone(), 413),
        (vec![(media, "application/json"), (packing, "gzip")], bomb, 413),
        (vec![(media, PROTOBUF), (packing, "zstd")], packed.clone(), 415),
        (vec![(media, PROTOBUF), (packing, "gzip, gzip")], packed.clone(), 415),
        (vec![(media, PROTOBUF), (packing, "gzip"), (packing, "gzip")], packed, 415),
        (vec![(media, "application/json"), (packing, "br")], json, 415),
        (vec![(media, "text/plain")], plain.clone(), 415),
        (vec![(media, PROTOBUF), (media, "application/json")], plain.clone(), 415),
        (vec![], plain, 415),
    ] {
        let answer = viewer.post_traces(&headers, body).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text());
        let sent = headers.iter().find(|header| header.0 == media).map_or("", |header| header.1);
        let is_protobuf =
            sent.to_lowercase().starts_with(PROTOBUF) && headers.iter().filter(|it| it.0 == media).count() == 1;
        let expected = if is_protobuf { PROTOBUF } else { "application/json" };
        assert_eq!(answer.headers["content-type"], expected, "{headers:?}");
        let code = if is_protobuf {
            RpcStatus::decode(answer.body.clone()).map(|it| it.code).unwrap_or_default()
        } else {
            let json: Value = serde_json::from_slice(&answer.body).unwrap();
            json["code"].as_i64().unwrap_or_default().try_into().unwrap()
        };
        let accepts = |name| answer.headers.get(name).map(|value| value.to_str().unwrap());
        let (accept, accept_encoding) = (accepts("accept"), accepts("accept-encoding"));
        let expected = match (status, code) {
            (200, code) => (code, None, None),
            (400, _) => (3, None, None),
            (413, _) => (8, None, None),
            (_, 12) => (12, None, Some("gzip")),
            _ => (3, Some("application/x-protobuf, application/json"), None),
        };
        assert_eq!((code, accept, accept_encoding), expected, "{headers:?}");
    }
    assert_eq!(viewer.data("/api/traces?service=crm").await[0]["spans"].as_array().unwrap().len(), 1);
    viewer.stop().await;
}

/// The example of the specification, and what a sender of JavaScript makes of it.
fn span_in_json() -> Value {
    json!({
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "parentSpanId": "",
        "name": "I'm a \"span\" ä", "kind": 2, "flags": 257, "traceState": "a=1", "notYetKnown": {"x": [1]},
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1_544_712_661_500_000_000_u64,
        "attributes": [
            {"key": "text", "value": {"stringValue": "v"}},
            {"key": "bool", "value": {"boolValue": true}},
            {"key": "int", "value": {"intValue": "-9223372036854775808"}},
            {"key": "number", "value": {"intValue": 7}},
            {"key": "whole", "value": {"intValue": 7.0}},
            {"key": "double", "value": {"doubleValue": 0.5}},
            {"key": "nan", "value": {"doubleValue": "NaN"}},
            {"key": "bytes", "value": {"bytesValue": "-_8="}},
            {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}, {"boolValue": false}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
            {"key": "nothing", "value": null},
            {"key": "fraction", "value": {"intValue": 7.5}},
        ],
        "droppedAttributesCount": 0, "droppedLinksCount": null,
        "events": [{"timeUnixNano": "1544712660250000000", "name": "e", "attributes": [{"key": "k", "value": {"intValue": "1"}}]}],
        "links": [{"traceId": "5b8efff798038103d269b633813fc60d", "spanId": "eee19b7ec3c1b175"}],
        "status": {"code": 2, "message": "boom"},
    })
}

fn in_json(spans: &Value) -> Vec<u8> {
    let attributes = json!([{"key": "service.name", "value": {"stringValue": "shop"}}]);
    let scopes = json!([{"scope": {"name": "lib", "version": "1"}, "spans": spans}]);
    json!({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}).to_string().into_bytes()
}

#[tokio::test]
async fn json_is_read_whole() {
    let viewer = Viewer::start().await;
    let answer = viewer.post_traces(&[("content-type", "application/json")], in_json(&json!([span_in_json()]))).await;
    assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));
    let trace = viewer.data("/api/traces/5b8efff798038103d269b633813fc60c").await[0].take();
    let span = &trace["spans"][0];
    assert_eq!(
        (&span["operationName"], &span["startTime"]),
        (&json!("I'm a \"span\" ä"), &json!(1_544_712_660_000_000_u64))
    );
    assert_eq!((&span["duration"], &span["spanID"]), (&json!(1_500_000), &json!("eee19b7ec3c1b174")));
    let reference = json!([{"refType": "FOLLOWS_FROM", "traceID": "5b8efff798038103d269b633813fc60d", "spanID": "eee19b7ec3c1b175"}]);
    assert_eq!(span["references"], reference);
    let tags: Vec<_> = span["tags"].as_array().unwrap().iter().map(|tag| json!([tag["key"], tag["value"]])).collect();
    assert_eq!(
        json!(tags),
        json!([
            ["span.kind", "server"],
            ["error", true],
            ["otel.status_code", "ERROR"],
            ["otel.status_description", "boom"],
            ["w3c.tracestate", "a=1"],
            ["text", "v"],
            ["bool", true],
            ["int", "-9223372036854775808"],
            ["number", 7],
            ["whole", 7],
            ["double", 0.5],
            ["nan", "NaN"],
            ["bytes", "+/8="],
            ["list", "[1,null,false]"],
            ["map", "{\"k\":\"v\"}"],
            ["nothing", ""],
            ["otel.scope.name", "lib"],
            ["otel.scope.version", "1"],
        ])
    );
    assert_eq!(span["warnings"], json!(["1 attributes could not be decoded"]));
    assert_eq!(span["logs"][0]["timestamp"], 1_544_712_660_250_000_u64);
    assert_eq!(span["logs"][0]["fields"][1]["value"], 1);
    assert_eq!(trace["processes"]["p1"]["serviceName"], "shop");
    viewer.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_one_span_in_json_costs_that_span_alone() {
    let viewer = Viewer::start().await;
    let with = |key: &str, value: Value| {
        let mut span = span_in_json();
        span[key] = value;
        span
    };
    let spans = json!([
        span_in_json(),
        with("kind", json!("SPAN_KIND_SERVER")),
        with("traceId", json!("W47/95gDgQPSabYzgT/GDA==")),
        with("traceId", json!("5b8efff798038103")),
        with("spanId", json!("eee19b7ec3c1b17g")),
        with("startTimeUnixNano", json!("-1")),
        with("startTimeUnixNano", json!("18446744073709551616")),
        with("attributes", json!({"text": "v"})),
        with("status", json!(["boom", 2])),
        json!([]),
        null,
        with("parentSpanId", json!("what")),
    ]);
    let answer = viewer.post_traces(&[("content-type", "application/json")], in_json(&spans)).await;
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, &told["partialSuccess"]["rejectedSpans"]), (200, &json!("10")), "{told}");
    let message = told["partialSuccess"]["errorMessage"].as_str().unwrap();
    for part in ["7 × the span cannot be decoded", "2 × trace_id", "1 × span_id"] {
        assert!(message.contains(part), "{message}");
    }
    let deep = (0..200).fold(json!({"intValue": 1}), |inner, _| json!({"arrayValue": {"values": [inner]}}));
    let span = json!({
        "traceId": "5b8efff798038103d269b633813fc60e", "spanId": "eee19b7ec3c1b174", "name": "deep",
        "attributes": [
            {"key": "deep", "value": deep},
            {"key": "k", "value": {"stringValue": "v"}},
            {"key": "list", "value": {"arrayValue": [[{"intValue": 1}]]}},
            {"key": "map", "value": {"kvlistValue": [[]]}},
            {"key": "pair", "value": {"kvlistValue": {"values": [["k", {"intValue": 1}]]}}},
        ],
    });
    let answer = viewer.post_traces(&[("content-type", "application/json")], in_json(&json!([span]))).await;
    assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));
    let trace = viewer.data("/api/traces/5b8efff798038103d269b633813fc60e").await;
    let warnings = trace[0]["spans"][0]["warnings"].to_string();
    assert!(warnings.contains("4 attributes could not be decoded"), "{warnings}");
    viewer.stop().await;
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, message].concat()
}

/// Code and message of a call, and the encodings that its answer names.
async fn call(viewer: &Viewer, headers: &[(&str, &str)], frame: Vec<u8>) -> (String, String, Bytes) {
    let url = format!("http://{}/opentelemetry.proto.collector.trace.v1.TraceService/Export", viewer.otlp);
    let request = headers.iter().fold(Request::post(url), |it, (name, value)| it.header(*name, *value));
    let answer = http::send_h2(request.body(Bytes::from(frame).into()).unwrap()).await;
    let of = |name: &str| {
        let value = answer.trailers.get(name).or_else(|| answer.headers.get(name));
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(of("grpc-accept-encoding"), "identity,gzip");
    (of("grpc-status"), of("grpc-message"), answer.body)
}

#[tokio::test]
async fn grpc_takes_packed_messages_and_refuses_what_is_none() {
    let viewer = Viewer::start().await;
    let plain = one_span(0xf2);
    let (kind, packing) = (("content-type", "application/grpc"), "grpc-encoding");
    let gzipped = [kind, (packing, "gzip")];
    let bomb = frame(1, &gzip(&vec![0; 4 * MIB + 1]));
    for (headers, frame, code) in [
        (&[kind][..], frame(0, &plain), "0"),
        (&[("content-type", "application/grpc+proto")], frame(0, &plain), "0"),
        (&gzipped, frame(1, &gzip(&plain)), "0"),
        (&gzipped, frame(0, &plain), "0"),
        (&[kind, (packing, "identity")], frame(0, &plain), "0"),
        (&[kind], frame(0, &[]), "0"),
        (&gzipped, bomb, "8"),
        (&[kind], frame(0, &vec![0; 4 * MIB + 1]), "8"),
        (&[kind, (packing, "zstd")], frame(1, &plain), "12"),
        (&[kind], frame(1, &gzip(&plain)), "3"),
        (&gzipped, frame(1, &plain), "3"),
        (&gzipped, frame(2, &plain), "3"),
        (&[kind], frame(0, b"\xff"), "3"),
        (&[kind], [frame(0, &plain), frame(0, &plain)].concat(), "3"),
        (&[kind], frame(0, &plain)[..9].to_vec(), "3"),
        (&[kind], vec![], "3"),
        (&[("content-type", "application/grpc+json")], frame(0, b"{}"), "3"),
    ] {
        let (given, message, body) = call(&viewer, headers, frame).await;
        assert_eq!(given, code, "{headers:?} {message}");
        assert_eq!(body.is_empty(), code != "0", "an answer has a message: {headers:?}");
    }
    let spans = contact_lookup(0xf3, now_ns(), "globex", false);
    let mut broken = spans;
    broken[0].scope_spans[0].spans[0].span_id.clear();
    let (_, _, body) = call(&viewer, &gzipped, frame(1, &gzip(&export(broken)))).await;
    let answer = ExportTraceServiceResponse::decode(&body[5..]).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    assert_eq!(viewer.data("/api/traces?service=crm").await.as_array().unwrap().len(), 1);
    viewer.stop().await;
}

/// A request whose last byte never comes; written as far as the viewer takes it.
fn half_sent(viewer: &Viewer, sent: usize) -> JoinHandle<()> {
    let (to, length) = (viewer.otlp, sent + 1);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    tokio::spawn(async move {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let _ = stream.write_all(&[head.as_bytes(), &vec![b' '; sent]].concat()).await;
        std::future::pending::<()>().await;
    })
}

/// The same over gRPC.
fn half_called(viewer: &Viewer, sent: usize) -> JoinHandle<()> {
    let url = format!("http://{}/opentelemetry.proto.collector.trace.v1.TraceService/Export", viewer.otlp);
    let part = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![0; sent]))]);
    let body = Body::from_stream(part.chain(stream::pending()));
    let request = Request::post(url).header("content-type", "application/grpc").body(body).unwrap();
    tokio::spawn(async move {
        let _ = Client::builder(TokioExecutor::new()).http2_only(true).build_http().request(request).await;
    })
}

async fn good_exports_are_taken(viewer: &Viewer) {
    for nth in 0..10 {
        let answer = viewer.post_traces(&[("content-type", PROTOBUF)], one_span(nth + 1)).await;
        assert_eq!(answer.status, 200, "{nth}: {}", answer.text());
        let (code, message, _) =
            call(viewer, &[("content-type", "application/grpc")], frame(0, &one_span(nth + 100))).await;
        assert_eq!(code, "0", "{nth}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_sent_by_halves_keep_nobody_out() {
    let viewer = Viewer::start().await;
    let stuck: Vec<_> = (0..30).flat_map(|_| [half_sent(&viewer, 1), half_called(&viewer, 1)]).collect();
    good_exports_are_taken(&viewer).await;
    // As many bytes as all requests may have together, and half as many again.
    let large: Vec<_> = (0..3).flat_map(|_| [half_sent(&viewer, 4 * MIB - 1), half_called(&viewer, 4 * MIB)]).collect();
    good_exports_are_taken(&viewer).await;
    stuck.iter().chain(&large).for_each(JoinHandle::abort);
    viewer.stop().await;
}

#[tokio::test]
async fn other_signals_and_paths_are_told_where_traces_go() {
    let viewer = Viewer::start().await;
    let url = format!("http://{}/v1/metrics", viewer.otlp);
    let answer = http::post(&url, PROTOBUF, Vec::new()).await;
    let told = RpcStatus::decode(answer.body).unwrap();
    assert_eq!((answer.status, told.code), (404, 12));
    assert!(told.message.contains("POST /v1/traces"), "{}", told.message);
    let answer = http::get(&format!("http://{}/v1/traces", viewer.otlp)).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (405, &"OPTIONS, POST".parse().unwrap()));
    viewer.stop().await;
}
