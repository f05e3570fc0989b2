//! Contexts that come and go in headers, and log lines that say which trace they belong to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_telemetry::propagation::{extract, inject, trace_id};
use crm_telemetry::testing::record;
use http::{HeaderMap, HeaderValue};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::TraceContextExt;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

#[test]
fn trace_state_and_baggage_survive_a_process() {
    let (_recorder, _guard) = record();
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let mut incoming = headers(&[("tracestate", "vendor=x"), ("baggage", "run=42,step=a%20b")]);
    incoming.insert("traceparent", parent.parse().unwrap());
    let context = extract(&incoming);
    assert_eq!(context.baggage().get("run").unwrap().as_str(), "42");

    let span = tracing::info_span!("hop");
    span.set_parent(context).unwrap();
    let mut outgoing = headers(&[("traceparent", "stale")]);
    inject(&span.context(), &mut outgoing);
    let traceparent = outgoing["traceparent"].to_str().unwrap();
    assert!(traceparent.starts_with(&format!("00-{TRACE}-")) && traceparent.ends_with("-01"), "{traceparent}");
    assert!(!traceparent.contains("b7ad6b7169203331"), "the hop is the new parent");
    assert_eq!(outgoing["tracestate"], "vendor=x");
    let again = extract(&outgoing);
    assert_eq!(again.baggage().get("step").unwrap().as_str(), "a b");
    assert_eq!(trace_id(&span).as_deref(), Some(TRACE));
}

#[test]
fn hostile_headers_count_as_absent() {
    let long = "a=b,".repeat(20_000);
    let hostile = ["", "00-", "00-00000000000000000000000000000000-0000000000000000-01", "zz-x-y-z", "00-é-1-1"];
    for value in hostile.into_iter().chain([long.as_str()]) {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        headers.insert("baggage", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        assert!(!extract(&headers).span().span_context().is_valid(), "{value:.40}");
    }
}

#[test]
fn without_a_started_telemetry_a_callers_context_passes_through() {
    let mut passing = headers(&[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
    inject(&tracing::info_span!("nobody").context(), &mut passing);
    assert!(passing["traceparent"].to_str().unwrap().contains("b7ad6b7169203331"));
    assert_eq!(trace_id(&tracing::info_span!("nobody")), None);
}

#[test]
fn a_line_inside_a_span_carries_its_ids_and_fields_stay_json() {
    let (recorder, _guard) = record();
    let id = {
        let span = tracing::info_span!("work");
        let _entered = span.enter();
        tracing::warn!(rows = 3_u64, ok = true, ratio = 0.5, name = "a \"b\"\n", error = %"gone", "it failed");
        trace_id(&span).unwrap()
    };
    tracing::info!("outside");
    tracing::debug!("not at this level");
    let log = recorder.log();
    assert_eq!(log.len(), 2, "{log:?}");
    assert_eq!(log[0]["trace_id"], id.as_str());
    assert_eq!(log[0]["span_id"].as_str().unwrap().len(), 16);
    assert_eq!(log[0]["level"], "WARN");
    assert_eq!(log[0]["message"], "it failed");
    assert_eq!((&log[0]["rows"], &log[0]["ok"], &log[0]["ratio"]), (&3.into(), &true.into(), &0.5.into()));
    assert_eq!((&log[0]["name"], &log[0]["error"]), (&"a \"b\"\n".into(), &"gone".into()));
    assert_eq!((&log[0]["service"], &log[0]["replica"]), (&"test".into(), &"0".into()));
    assert!(log[1].get("trace_id").is_none());
    assert_eq!(recorder.spans()[0].events.len(), 1, "the line is an event of its span, too");
}
