//! Contexts that come and go in headers, and log lines that say which trace they belong to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

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

/// The lines as they come, and what the parent, the state and the baggage are then; `-` for a parent that is none.
fn check(lines: &[(&'static str, &str)], trace_state: &str, baggage: &str) {
    let (_recorder, _guard) = record();
    let incoming: HeaderMap =
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let span = tracing::info_span!("hop");
    span.set_parent(extract(&incoming)).unwrap();
    // What goes on stands beside what came, as at the gateway.
    let mut outgoing = incoming;
    inject(&span.context(), &mut outgoing);
    let sent = |name: &str| {
        let lines: Vec<_> = outgoing.get_all(name).iter().map(|line| line.to_str().unwrap()).collect();
        lines.join("\n")
    };
    let is_known = sent("traceparent").contains(TRACE);
    assert_eq!((is_known, &*sent("tracestate")), (trace_state != "-", trace_state.trim_matches('-')), "{lines:?}");
    assert_eq!(members(&sent("baggage")), members(baggage), "{lines:?}");
}

/// In any order: the library keeps none.
fn members(baggage: &str) -> BTreeSet<&str> {
    baggage.split(',').collect()
}

#[test]
fn a_parent_is_one_line_of_one_form() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (parents, expected) in [
        (vec![good], "v=1"),
        (vec!["01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], "v=1"),
        (vec!["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-is-to-come"], "v=1"),
        (vec!["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01."], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"], "v=1"),
        (vec![good, good], "-"),
        (vec![good, "00-0af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"], "-"),
        (vec!["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00"], "-"),
        (vec!["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"], "-"),
        (vec!["0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], "-"),
        (vec!["+0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"], "-"),
        (vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"], "-"),
        (vec![], "-"),
    ] {
        let parents = parents.into_iter().map(|parent| ("traceparent", parent));
        // A state goes on with its parent alone.
        check(&parents.chain([("tracestate", "v=1")]).collect::<Vec<_>>(), expected, "");
    }
}

#[test]
fn states_of_several_lines_are_one_and_within_bounds() {
    let count = |members: usize| (0..members).map(|n| format!("k{n}={n}")).collect::<Vec<_>>().join(",");
    let (all, more) = (count(32), count(33));
    let (long, filler) = ("x".repeat(150), "y".repeat(100));
    let large = format!("a={filler},long={long},b={filler},c={filler},d={filler}");
    let larger = format!("{large},e={filler}");
    let few = format!("a={filler},b={filler},c={filler},d={filler}");
    for (states, expected) in [
        (vec!["a=1", "b=2"], "a=1,b=2"),
        (vec!["a=1,b=2", "", "c=3"], "a=1,b=2,c=3"),
        (vec![" a=1 ,\tb=2 ,, "], "a=1,b=2"),
        (vec![""], ""),
        (vec!["a=1", "what"], ""),
        (vec!["a=1", "b="], ""),
        (vec!["a=1=2"], ""),
        (vec!["=1"], ""),
        (vec!["A=1"], ""),
        (vec!["tenant@vendor=1"], "tenant@vendor=1"),
        (vec![&all], &all),
        (vec![&more], ""),
        (vec![&large], &few),
        (vec![&larger], &few),
    ] {
        let states = states.into_iter().map(|state| ("tracestate", state));
        let parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        check(&[parent].into_iter().chain(states).collect::<Vec<_>>(), expected, "");
    }
}

#[test]
fn baggage_of_several_lines_is_one_and_needs_no_parent() {
    let large = format!("a={}", "x".repeat(5_000));
    for (lines, expected) in [
        (vec!["a=1", "b=2"], "a=1,b=2"),
        (vec!["a=1, b = 2 ", ""], "a=1,b=2"),
        (vec!["a=b=c;p=1"], "a=b%3Dc;p=1"),
        (vec!["what,a=1"], "a=1"),
        (vec!["=1,a=%ff,b=2"], "b=2"),
        (vec!["a=%C3%A4"], "a=%C3%A4"),
        (vec![&large, "b=2", &large.replace('a', "c"), "d=1"], &format!("{large},b=2")),
    ] {
        let lines = lines.into_iter().map(|line| ("baggage", line));
        check(&lines.collect::<Vec<_>>(), "-", expected);
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
