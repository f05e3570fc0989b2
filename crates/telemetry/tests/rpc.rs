//! Calls through the layer: what is counted and what the spans say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::convert::Infallible;
use std::future::pending;

use bytes::Bytes;
use crm_telemetry::metrics_text;
use crm_telemetry::rpc::{Attempt, CallersFault, Methods, ServerLayer};
use crm_telemetry::testing::{SpanData, attribute, record};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use opentelemetry::trace::{SpanKind, Status as SpanStatus};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, ServiceExt, service_fn};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Copy)]
enum Answer {
    Trailers(&'static str),
    TrailersOnly(Code),
    CallersFault(Code),
    NoStatus,
    Never,
    NeverEnds,
}

fn trailers(status: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))])
}

fn body(frames: Vec<Frame<Bytes>>) -> Body {
    Body::new(StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok::<_, Infallible>))))
}

async fn answer(answer: Answer) -> Result<Response<Body>, Infallible> {
    Ok(match answer {
        Answer::Trailers(status) => {
            Response::new(body(vec![Frame::data(Bytes::from_static(b"hello")), Frame::trailers(trailers(status))]))
        }
        Answer::TrailersOnly(code) => Status::new(code, "no").into_http(),
        Answer::CallersFault(code) => {
            let mut status = Status::new(code, "no");
            status.set_source(std::sync::Arc::new(CallersFault));
            status.into_http()
        }
        Answer::NoStatus => Response::new(body(vec![Frame::data(Bytes::from_static(b"hello"))])),
        Answer::Never => pending().await,
        Answer::NeverEnds => Response::new(Body::new(StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Infallible>,
        >()))),
    })
}

fn request(method: &str) -> Request<Empty<Bytes>> {
    Request::builder().uri(format!("/{method}")).header("traceparent", PARENT).body(Empty::new()).unwrap()
}

/// Polls a call as far as it gets, then lets go of it.
fn run(method: &str, kind: Answer) {
    let layer = ServerLayer::new(Methods::new([method]));
    let service = layer.layer(service_fn(move |_: Request<Empty<Bytes>>| answer(kind)));
    let mut call = Box::pin(service.oneshot(request(method)));
    if let Some(response) = call.as_mut().now_or_never() {
        let mut body = response.unwrap().into_body();
        while let Some(Some(frame)) = body.frame().now_or_never() {
            frame.unwrap();
        }
    }
}

fn value(series: &str) -> f64 {
    let line = metrics_text().lines().find_map(|line| line.strip_prefix(series).map(str::to_owned));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

fn check(method: &'static str, kind: Answer, outcome: &str, code: &str) -> SpanData {
    let (recorder, _guard) = record();
    run(method, kind);
    for known in ["ok", "error", "cancelled"] {
        let series = format!("crm_rpc_server_calls_total{{method=\"{method}\",outcome=\"{known}\"}}");
        let expected = if known == outcome { 1.0 } else { 0.0 };
        assert!((value(&series) - expected).abs() < f64::EPSILON, "{series}: {}", metrics_text());
    }
    let duration = format!("rpc_server_call_duration_seconds_count{{method=\"{method}\"}}");
    assert!((value(&duration) - 1.0).abs() < f64::EPSILON, "{duration}");
    let errors = value(&format!("crm_rpc_server_errors_total{{code=\"{code}\",method=\"{method}\"}}"));
    assert!((errors - if code == "OK" { 0.0 } else { 1.0 }).abs() < f64::EPSILON, "{code}: {errors}");
    let spans = recorder.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    let span = spans.into_iter().next().unwrap();
    assert_eq!(attribute(&span, "rpc.status_code").as_deref(), Some(code));
    assert_eq!(span.name, method);
    span
}

#[test]
fn a_call_that_goes_well_is_ok() {
    let span = check("t.S/Ok", Answer::Trailers("0"), "ok", "OK");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(attribute(&span, "rpc.system.name").as_deref(), Some("grpc"));
    assert_eq!(attribute(&span, "rpc.method").as_deref(), Some("t.S/Ok"));
    assert_eq!(span.status, SpanStatus::Unset);
}

#[test]
fn a_span_continues_its_callers_trace() {
    let span = check("t.S/Parent", Answer::Trailers("0"), "ok", "OK");
    assert_eq!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
    assert!(span.parent_span_is_remote);
}

#[test]
fn a_callers_mistake_is_no_failure_of_the_server() {
    let span = check("t.S/NotFound", Answer::TrailersOnly(Code::NotFound), "ok", "NOT_FOUND");
    assert_eq!(span.status, SpanStatus::Unset);
    // Nor where gRPC's code for it is one that servers fail with, if it is marked.
    for code in [Code::ResourceExhausted, Code::Internal] {
        let name =
            if code == Code::Internal { ("t.S/Packed", "INTERNAL") } else { ("t.S/Large", "RESOURCE_EXHAUSTED") };
        let span = check(name.0, Answer::CallersFault(code), "ok", name.1);
        assert_eq!(span.status, SpanStatus::Unset);
    }
    check("t.S/Shed", Answer::TrailersOnly(Code::ResourceExhausted), "error", "RESOURCE_EXHAUSTED");
}

#[test]
fn failures_are_seen_in_headers_and_in_trailers() {
    for (method, kind) in
        [("t.S/Headers", Answer::TrailersOnly(Code::Unavailable)), ("t.S/Trailers", Answer::Trailers("14"))]
    {
        let span = check(method, kind, "error", "UNAVAILABLE");
        assert_eq!(span.status, SpanStatus::error(""));
        assert_eq!(attribute(&span, "error.type").as_deref(), Some("UNAVAILABLE"));
    }
}

#[test]
fn a_body_without_a_status_is_an_unknown_error() {
    check("t.S/NoStatus", Answer::NoStatus, "error", "UNKNOWN");
}

#[test]
fn a_caller_that_goes_away_is_counted_as_cancelled() {
    check("t.S/Gone", Answer::Never, "cancelled", "CANCELLED");
    check("t.S/GoneMidStream", Answer::NeverEnds, "cancelled", "CANCELLED");
}

#[test]
fn unknown_methods_share_one_series() {
    let (recorder, _guard) = record();
    let layer = ServerLayer::new(Methods::new(["t.S/Known"]));
    let service = layer.layer(service_fn(|_: Request<Empty<Bytes>>| answer(Answer::TrailersOnly(Code::Unimplemented))));
    let path = format!("invented.S/{}", "é".repeat(500));
    let path: String = path.chars().map(|c| if c.is_ascii() { c.to_string() } else { "%C3%A9".to_owned() }).collect();
    service.oneshot(request(&path)).now_or_never().unwrap().unwrap();
    assert!(!metrics_text().contains("invented"));
    let span = &recorder.spans()[0];
    assert_eq!(span.name, "_OTHER");
    assert_eq!(attribute(span, "rpc.method_original").unwrap().len(), 128);
}

#[test]
fn an_attempt_is_a_child_of_the_call_and_travels_in_headers() {
    let (recorder, _guard) = record();
    let mut headers = HeaderMap::new();
    {
        let call = tracing::info_span!("call");
        let _entered = call.enter();
        let attempt = Attempt::begin("t.S/Ok", "customers", "1", "peak_ewma", 2);
        attempt.inject(&mut headers);
        attempt.end(Code::NotFound);
    }
    let attempt = &recorder.spans_named("t.S/Ok")[0];
    let call = &recorder.spans_named("call")[0];
    assert_eq!(attempt.parent_span_id, call.span_context.span_id());
    assert_eq!(attempt.span_kind, SpanKind::Client);
    assert_eq!(attempt.status, SpanStatus::error(""));
    let expected = [
        ("server.address", "customers"),
        ("crm.replica", "1"),
        ("crm.policy", "peak_ewma"),
        ("crm.attempt", "2"),
        ("rpc.status_code", "NOT_FOUND"),
    ];
    for (key, value) in expected {
        assert_eq!(attribute(attempt, key).as_deref(), Some(value), "{key}");
    }
    let span = attempt.span_context.span_id().to_string();
    assert!(headers["traceparent"].to_str().unwrap().contains(&span));
}
