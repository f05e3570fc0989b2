use std::time::Duration;

use super::{ancestry::find_cuts, params::Params, search::search};
use crate::{
    span::{Kind, NewEvent, NewProcess, NewSpan, NewTag, SpanId, TraceId, Value},
    store::{Store, Usage},
};

/// Time of the first trace; trace `n` starts `n` seconds later.
const START_S: u64 = 1_800_000_000;
const SECOND_NS: u64 = 1_000_000_000;

fn span(trace: u64, id: u64, parent: u64) -> NewSpan {
    NewSpan {
        trace: TraceId(trace.into()),
        id: SpanId(id),
        parent: (parent > 0).then_some(SpanId(parent)),
        is_parent_remote: false,
        name: "get".to_owned(),
        kind: Kind::Server,
        start_ns: (START_S + trace) * SECOND_NS + id,
        duration_ns: trace * 100_000_000,
        is_error: false,
        tags: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        warnings: Vec::new(),
    }
}

fn store_of(spans: Vec<(&str, NewSpan)>) -> Store {
    let mut store = Store::new(Usage { spans: 10_000, bytes: 10 << 20 }, Duration::from_secs(60));
    for (service, span) in spans {
        let process = NewProcess { service: service.to_owned(), tags: vec![NewTag::new("host.name", "alpha")] };
        store.insert(process, vec![span]);
    }
    store
}

/// Trace 1: a plain `get`. Trace 2: a `list` by a client, with tags. Trace 3: an error event. Trace 4: another service.
fn four_traces() -> Store {
    let typed = [
        ("count", Value::Int(3)),
        ("share", Value::Float(0.5)),
        ("error", Value::Bool(true)),
        ("user agent", Value::from("curl 8")),
    ];
    let tags = typed.into_iter().map(|(key, value)| NewTag { key: key.to_owned(), value }).collect();
    let event = NewEvent { time_ns: 1, tags: vec![NewTag::new("event", "retry")] };
    store_of(vec![
        ("crm", span(1, 1, 0)),
        ("crm", NewSpan { name: "list".to_owned(), kind: Kind::Client, tags, ..span(2, 1, 0) }),
        ("crm", NewSpan { events: vec![event], ..span(3, 1, 0) }),
        ("other", span(4, 1, 0)),
    ])
}

fn found(store: &Store, query: &[(&str, &str)]) -> Vec<u128> {
    let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut params = Params::new(pairs);
    let filter = params.filter((START_S + 10) * SECOND_NS);
    let filter = params.finish(filter).unwrap_or_else(|error| panic!("{query:?}: {error:?}"));
    search(store, &filter).into_iter().map(|id| id.0).collect()
}

#[test]
fn each_filter_finds_what_it_should_newest_first() {
    let store = four_traces();
    let check = |filter: &[(&str, &str)], expected: &[u128]| {
        let query: Vec<_> = [("service", "crm")].iter().chain(filter).copied().collect();
        assert_eq!(found(&store, &query), expected, "{filter:?}");
    };
    let second = |trace: u64| ((START_S + trace) * 1_000_000).to_string();
    check(&[], &[3, 2, 1]);
    check(&[("service", "other")], &[4]);
    check(&[("service", "nobody")], &[]);
    check(&[("operation", "list")], &[2]);
    check(&[("operation", "all")], &[3, 2, 1]);
    check(&[("operation", "nothing")], &[]);
    check(&[("spanKind", "client")], &[2]);
    check(&[("minDuration", "200ms")], &[3, 2]);
    check(&[("maxDuration", "200ms")], &[2, 1]);
    check(&[("minDuration", "150ms"), ("maxDuration", "250ms")], &[2]);
    check(&[("start", &second(2))], &[3, 2]);
    check(&[("end", &second(2))], &[1]);
    check(&[("start", &second(2)), ("end", &second(3))], &[2]);
    check(&[("lookback", "8s")], &[3, 2]);
    check(&[("lookback", "custom")], &[3, 2, 1]);
    check(&[("limit", "2")], &[3, 2]);
}

#[test]
fn tags_are_found_on_spans_events_and_processes_in_any_spelling() {
    let store = four_traces();
    let cases: [(&str, &[u128]); 11] = [
        (r#"{"count":"3"}"#, &[2]),
        (r#"{"count":3,"share":0.5,"error":true}"#, &[2]),
        ("count=3 share=0.50", &[2]),
        ("error", &[2]),
        ("error=true", &[2]),
        ("error=false", &[]),
        ("count=3 event=retry", &[]),
        (r#""user agent"=x"#, &[]),
        (r#"{"user agent":"curl 8"}"#, &[2]),
        ("event=retry", &[3]),
        ("host.name=alpha", &[3, 2, 1]),
    ];
    for (tags, expected) in cases {
        assert_eq!(found(&store, &[("service", "crm"), ("tags", tags)]), expected, "{tags}");
    }
    assert_eq!(found(&store, &[("service", "crm"), ("tag", "count:3"), ("tag", "error:true")]), [2]);
}

#[test]
fn value_that_is_different_each_time_is_found_too() {
    let tagged = |n: u64| NewSpan { tags: vec![NewTag::new("id", &*format!("id-{n}"))], ..span(n, 1, 0) };
    let store = store_of((1..=500).map(|n| ("crm", tagged(n))).collect());
    for n in [1, 200, 500] {
        assert_eq!(found(&store, &[("service", "crm"), ("tags", &format!("id=id-{n}"))]), [n]);
    }
}

#[test]
fn filters_hold_for_one_span_together() {
    let store = store_of(vec![
        ("crm", NewSpan { name: "a".to_owned(), ..span(1, 1, 0) }),
        ("crm", NewSpan { name: "b".to_owned(), kind: Kind::Client, ..span(1, 2, 1) }),
    ]);
    assert!(found(&store, &[("service", "crm"), ("operation", "a"), ("spanKind", "client")]).is_empty());
    assert_eq!(found(&store, &[("service", "crm"), ("operation", "b"), ("spanKind", "client")]), [1]);
}

#[test]
fn every_fault_of_a_query_is_told_at_once() {
    let pairs = [
        ("minDuration", "fast"),
        ("maxDuration", "-1s"),
        ("limit", "0"),
        ("start", "yesterday"),
        ("tags", "{"),
        ("tag", "x"),
        ("spanKind", "sideways"),
    ];
    let mut params = Params::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
    let filter = params.filter(0);
    let told = format!("{:?}", params.finish(filter).err().unwrap());
    for name in ["service", "minDuration", "maxDuration", "limit", "start", "tags", "tag", "spanKind"] {
        assert!(told.contains(&format!("'{name}'")), "{name} in {told}");
    }
}

#[test]
fn circles_of_parents_are_cut_once_above_their_earliest_span() {
    let check = |links: &[(u64, u64)], expected: &[u64]| {
        let store = store_of(links.iter().map(|(id, parent)| ("crm", span(1, *id, *parent))).collect());
        let trace = store.get(TraceId(1)).unwrap();
        let cuts = trace.spans().iter().zip(find_cuts(trace)).filter(|(_, cut)| *cut).map(|(span, _)| span.id.0);
        assert_eq!(cuts.collect::<Vec<_>>(), expected, "{links:?}");
    };
    check(&[(1, 0), (2, 1), (3, 2)], &[]);
    check(&[(1, 2), (2, 1)], &[1]);
    check(&[(5, 7), (6, 5), (7, 6), (8, 7), (9, 8)], &[5]);
    check(&[(1, 2), (2, 1), (3, 4), (4, 3), (5, 0)], &[1, 3]);
    check(&[(1, 99), (2, 1)], &[]);
}
