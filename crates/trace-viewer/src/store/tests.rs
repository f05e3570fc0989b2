use std::time::Duration;

use super::{Inserted, Store, Usage};
use crate::span::{Kind, NewProcess, NewSpan, NewTag, SpanId, TraceId};

const SLOW: Duration = Duration::from_millis(500);
const ROOMY: Usage = Usage { spans: 100_000, bytes: 100 << 20 };

fn span(trace: u128, id: u64) -> NewSpan {
    NewSpan {
        trace: TraceId(trace),
        id: SpanId(id),
        parent: None,
        is_parent_remote: false,
        name: "GET /".to_owned(),
        kind: Kind::Server,
        start_ns: 1_000 + u64::try_from(trace).unwrap(),
        duration_ns: 1_000_000,
        is_error: false,
        tags: vec![NewTag::new("request.id", &*format!("{trace}-{id}"))],
        events: Vec::new(),
        links: Vec::new(),
        warnings: Vec::new(),
    }
}

fn insert(store: &mut Store, service: &str, spans: Vec<NewSpan>) -> Vec<Inserted> {
    store.insert(NewProcess { service: service.to_owned(), tags: vec![NewTag::new("host.name", "a")] }, spans)
}

fn traces(store: &Store) -> Vec<u128> {
    let mut ids: Vec<_> = store.traces().keys().map(|id| id.0).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn oldest_ordinary_traces_go_first_and_errors_and_slow_ones_stay() {
    let mut store = Store::new(Usage { spans: 6, ..ROOMY }, SLOW);
    insert(&mut store, "a", vec![NewSpan { is_error: true, ..span(1, 1) }]);
    insert(&mut store, "a", vec![NewSpan { duration_ns: 600_000_000, ..span(2, 1) }]);
    for trace in 3..=20 {
        insert(&mut store, "a", vec![span(trace, 1)]);
    }
    assert_eq!(traces(&store), [1, 2, 17, 18, 19, 20]);
    assert_eq!(store.evicted().traces, 14);
}

#[test]
fn flood_of_errors_keeps_half_and_leaves_room_for_fresh_ordinary_traces() {
    let mut store = Store::new(Usage { spans: 10, ..ROOMY }, SLOW);
    for trace in 1..=100 {
        insert(&mut store, "a", vec![NewSpan { is_error: trace <= 90, ..span(trace, 1) }]);
    }
    assert_eq!(traces(&store), [86, 87, 88, 89, 90, 96, 97, 98, 99, 100]);
}

#[test]
fn trace_that_fails_late_is_kept_from_then_on() {
    let mut store = Store::new(Usage { spans: 8, ..ROOMY }, SLOW);
    insert(&mut store, "a", vec![span(1, 1)]);
    insert(&mut store, "a", vec![NewSpan { is_error: true, ..span(1, 2) }]);
    (2..30).for_each(|trace| drop(insert(&mut store, "a", vec![span(trace, 1)])));
    assert!(traces(&store).contains(&1));
}

#[test]
fn bytes_are_bounded_whatever_the_spans_bring() {
    let limit = Usage { bytes: 64 << 10, ..ROOMY };
    let mut store = Store::new(limit, SLOW);
    for trace in 1..2_000_u128 {
        let mut big = span(trace, 1);
        big.name = format!("operation {trace}");
        big.tags.push(NewTag::new(format!("key {trace}"), &*"x".repeat(usize::try_from(trace % 900).unwrap())));
        insert(&mut store, &format!("service {}", trace % 70), vec![big]);
        assert!(store.usage().bytes <= limit.bytes, "{:?}", store.usage());
    }
    assert!(store.traces().len() > 10);
}

#[test]
fn evicting_everything_leaves_nothing_behind() {
    let mut store = Store::new(Usage { spans: 4, ..ROOMY }, SLOW);
    let before = store.usage();
    for trace in 1..50 {
        insert(&mut store, &format!("service {trace}"), vec![span(trace, 1), span(trace, 2)]);
    }
    for id in traces(&store) {
        store.remove(TraceId(id));
    }
    assert_eq!(store.usage(), before);
    assert!(store.operations().services(store.strings()).is_empty());
}

#[test]
fn services_and_operations_follow_the_spans() {
    let mut store = Store::new(Usage { spans: 2, ..ROOMY }, SLOW);
    insert(&mut store, "gone", vec![span(1, 1)]);
    insert(&mut store, "here", vec![span(2, 1)]);
    insert(&mut store, "here", vec![NewSpan { name: "POST /".to_owned(), kind: Kind::Client, ..span(3, 1) }]);
    let names = store.strings();
    assert_eq!(store.operations().services(names), ["here"]);
    let operations = store.operations().of_service("here", names);
    assert_eq!(operations, [("GET /".to_owned(), Kind::Server), ("POST /".to_owned(), Kind::Client)]);
    assert!(store.operations().of_service("gone", names).is_empty());
}

#[test]
fn retried_span_is_kept_once_and_a_different_one_with_its_id_beside_it() {
    let mut store = Store::new(ROOMY, SLOW);
    let other = || NewSpan { name: "other".to_owned(), ..span(1, 7) };
    assert_eq!(insert(&mut store, "a", vec![span(1, 7), span(1, 7)]), [Inserted::Kept, Inserted::Duplicate]);
    assert_eq!(insert(&mut store, "a", vec![other(), other()]), [Inserted::Kept, Inserted::Duplicate]);
    let spans = store.get(TraceId(1)).unwrap().spans();
    assert_eq!(spans.iter().map(|span| span.id.0).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(
        spans[1].body().warnings,
        ["span id 0000000000000007 is taken by another span; shown as 0000000000000008"]
    );
}

#[test]
fn trace_without_end_is_refused_at_its_share_and_others_stay() {
    let mut store = Store::new(Usage { spans: 40, ..ROOMY }, SLOW);
    insert(&mut store, "a", vec![span(1, 1)]);
    let outcomes = insert(&mut store, "a", (1..=30).map(|id| span(2, id)).collect());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Inserted::Kept).count(), 10);
    assert_eq!(outcomes[10], Inserted::TraceFull);
    assert_eq!(traces(&store), [1, 2]);
}

#[test]
fn late_span_joins_its_trace_and_its_old_place_in_the_queue() {
    let mut store = Store::new(Usage { spans: 12, ..ROOMY }, SLOW);
    (1..=11).for_each(|trace| drop(insert(&mut store, "a", vec![span(trace, 1)])));
    insert(&mut store, "b", vec![span(1, 2)]);
    assert_eq!(store.get(TraceId(1)).unwrap().spans().len(), 2);
    insert(&mut store, "a", vec![span(12, 1)]);
    assert_eq!(traces(&store), (2..=12).collect::<Vec<_>>(), "the oldest goes whole, late span and all");
}
