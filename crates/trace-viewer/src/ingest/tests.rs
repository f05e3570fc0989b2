use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use super::{
    RequestError, convert, grpc, http,
    wire::{self, Any, AnyList, AnyValue, KeyValue},
};
use crate::{
    refusal::Refusal,
    span::{Kind, NewProcess, NewSpan, SpanId, Value},
    store::{Store, Usage},
};

const NOW_NS: u64 = 1_800_000_000_000_000_000;

fn good() -> wire::Span {
    wire::Span {
        trace_id: Bytes::from_static(&[7; 16]),
        span_id: Bytes::from_static(&[1; 8]),
        name: "GET /".into(),
        kind: 2,
        start_time_unix_nano: NOW_NS,
        end_time_unix_nano: NOW_NS + 1_000_000,
        ..wire::Span::default()
    }
}

fn read(span: &wire::Span) -> Result<NewSpan, Refusal> {
    convert::span(span.encode_to_vec().into(), &[], NOW_NS)
}

fn attribute(key: &[u8], value: Any) -> Bytes {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: Bytes::copy_from_slice(key), value }.encode_to_vec().into()
}

#[test]
fn span_without_fault_has_no_warning() {
    let span = read(&good()).unwrap();
    assert_eq!((span.kind, span.duration_ns, span.parent), (Kind::Server, 1_000_000, None));
    assert_eq!(span.warnings, [""; 0]);
}

#[test]
fn span_that_cannot_be_filed_is_refused_with_its_reason() {
    let cases = [
        (wire::Span { trace_id: Bytes::new(), ..good() }, Refusal::TraceId),
        (wire::Span { trace_id: vec![0; 16].into(), ..good() }, Refusal::TraceId),
        (wire::Span { trace_id: vec![1; 17].into(), ..good() }, Refusal::TraceId),
        (wire::Span { span_id: Bytes::new(), ..good() }, Refusal::SpanId),
        (wire::Span { span_id: vec![0; 8].into(), ..good() }, Refusal::SpanId),
        (wire::Span { span_id: vec![1; 3].into(), ..good() }, Refusal::SpanId),
    ];
    for (span, refusal) in cases {
        assert_eq!(read(&span).unwrap_err(), refusal);
    }
    assert_eq!(convert::span(Bytes::from_static(b"\x0a\xff"), &[], NOW_NS).unwrap_err(), Refusal::Undecodable);
}

#[test]
fn odd_span_is_kept_and_says_what_is_wrong() {
    let own_parent = wire::Span { parent_span_id: good().span_id, ..good() };
    let short_parent = wire::Span { parent_span_id: vec![9; 4].into(), ..good() };
    let backwards = wire::Span { end_time_unix_nano: NOW_NS - 5, ..good() };
    let endless = wire::Span { end_time_unix_nano: u64::MAX, ..good() };
    let timeless = wire::Span { start_time_unix_nano: 0, end_time_unix_nano: 0, ..good() };
    let from_the_future = wire::Span { start_time_unix_nano: u64::MAX, end_time_unix_nano: u64::MAX, ..good() };
    let strange_kind = wire::Span { kind: 99, ..good() };
    let unreadable = wire::Span { attributes: vec![Bytes::from_static(b"\x12\xff")], ..good() };
    let lossy = wire::Span { dropped_attributes_count: 3, dropped_events_count: u32::MAX, ..good() };
    let cases = [
        (own_parent, "names itself as its parent"),
        (short_parent, "4 bytes instead of 8"),
        (backwards, "ends before it starts"),
        (endless, "in the far future"),
        (timeless, "start time is missing"),
        (from_the_future, "start time is missing or in the far future"),
        (strange_kind, "span kind 99 is unknown"),
        (unreadable, "1 attributes could not be decoded"),
        (lossy, "3 attributes were dropped"),
    ];
    for (span, warning) in cases {
        let span = read(&span).unwrap();
        assert!(span.warnings.iter().any(|text| text.contains(warning)), "{warning}: {:?}", span.warnings);
        assert_eq!((span.start_ns, span.parent), (NOW_NS, None));
        assert!(span.duration_ns <= 1_000_000);
    }
}

#[test]
fn broken_text_is_shown_with_replacement_characters() {
    let span = wire::Span {
        name: Bytes::from_static(b"caf\xe9"),
        attributes: vec![attribute(b"k\xff", Any::Text(Bytes::from_static(b"\xc3\x28")))],
        ..good()
    };
    let span = read(&span).unwrap();
    assert_eq!(span.name, "caf\u{fffd}");
    let tag = span.tags.last().unwrap();
    assert_eq!((&*tag.key, &tag.value), ("k\u{fffd}", &Value::from("\u{fffd}(")));
}

#[test]
fn huge_and_many_attributes_are_cut_to_the_spans_share() {
    let huge = attribute(b"huge", Any::Text("é".repeat(1 << 20).into()));
    let many = (0..2_000).map(|n| attribute(format!("key {n}").as_bytes(), Any::Text("x".repeat(200).into())));
    let span = wire::Span { attributes: std::iter::once(huge).chain(many).collect(), ..good() };
    let span = read(&span).unwrap();
    let bytes: usize = span.tags.iter().map(|tag| format!("{tag:?}").len()).sum();
    assert!(bytes < 200 << 10, "{bytes}");
    assert!(span.warnings.iter().any(|text| text.contains("1 long values were cut")), "{:?}", span.warnings);
    assert!(span.warnings.iter().any(|text| text.contains("were left out")), "{:?}", span.warnings);
}

fn nested(depth: usize) -> Any {
    (0..depth).fold(Any::Int(1), |inner, _| Any::List(AnyList { values: vec![AnyValue { value: Some(inner) }] }))
}

#[test]
fn lists_become_json_and_bottomless_ones_a_warning() {
    let span = |depth| wire::Span { attributes: vec![attribute(b"deep", nested(depth))], ..good() };
    assert_eq!(read(&span(2)).unwrap().tags.last().unwrap().value, Value::from("[[1]]"));
    let shown = read(&span(30)).unwrap();
    assert!(matches!(&shown.tags.last().unwrap().value, Value::Text(text) if text.contains('…')));
    let lost = read(&span(2_000)).unwrap();
    assert_eq!(lost.warnings, ["1 attributes could not be decoded"]);
}

#[test]
fn sender_without_a_name_gets_the_specifications_stand_in() {
    for raw in [Bytes::new(), Bytes::from_static(b"\x0a\xff\xff"), Bytes::from_static(b"\x0a\x02\x12\xff")] {
        assert_eq!(convert::process(raw).service, "unknown_service");
    }
    let attributes = vec![attribute(b"service.name", Any::Text("customers".into()))];
    let process = convert::process(wire::Resource { attributes }.encode_to_vec().into());
    assert_eq!((&*process.service, process.tags.len()), ("customers", 0));
}

/// Bytes that are often nearly a span: fields in any order, of any length, with any content.
fn nearly_a_span() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![Just(vec![]), Just(vec![0; 8]), Just(vec![1; 8]), Just(vec![2; 16]), any::<Vec<u8>>()];
    let attribute = any::<(Vec<u8>, Vec<u8>, bool)>().prop_map(|(key, text, is_list)| {
        let value = Any::Text(text.into());
        attribute(
            &key,
            if is_list { Any::List(AnyList { values: vec![AnyValue { value: Some(value) }] }) } else { value },
        )
    });
    let raw = proptest::collection::vec(prop_oneof![attribute, any::<Vec<u8>>().prop_map(Bytes::from)], 0..4);
    let ids = (id.clone(), id.clone(), id);
    (ids, any::<(Vec<u8>, i32, u64, u64, u32)>(), raw.clone(), raw.clone(), raw).prop_map(
        |((trace, span, parent), (name, kind, start, end, flags), attributes, events, links)| {
            let span = wire::Span {
                trace_id: trace.into(),
                span_id: span.into(),
                parent_span_id: parent.into(),
                name: name.clone().into(),
                status: name.into(),
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                flags,
                attributes,
                events,
                links,
                ..wire::Span::default()
            };
            span.encode_to_vec()
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_of_a_span_panic_the_ingest(
        raw in prop_oneof![any::<Vec<u8>>(), nearly_a_span()],
        flip in any::<(usize, u8)>(),
    ) {
        let mut raw = raw;
        if !raw.is_empty() {
            let at = flip.0 % raw.len();
            raw[at] ^= flip.1;
        }
        let mut store = Store::new(Usage { spans: 100, bytes: 1 << 20 }, Duration::from_millis(500));
        if let Ok(span) = convert::span(raw.into(), &[], NOW_NS) {
            prop_assert!(span.parent != Some(span.id) && span.id != SpanId(0));
            let (trace, process) = (span.trace, NewProcess { service: "any".to_owned(), tags: Vec::new() });
            store.insert(process, vec![span]);
            let text = crate::query::render_json(&store, trace);
            prop_assert!(text.is_some_and(|text| serde_json::from_str::<serde_json::Value>(&text).is_ok()));
        }
    }

    #[test]
    fn no_bytes_of_a_resource_or_scope_panic_the_ingest(raw in any::<Vec<u8>>()) {
        convert::process(raw.clone().into());
        convert::scope_tags(raw.into());
    }
}

#[test]
fn who_finds_no_room_or_comes_too_slowly_is_told_to_come_again() {
    for error in [RequestError::Busy, RequestError::Late] {
        let told = http::refuse(&error, None);
        assert_eq!((told.status().as_u16(), told.headers()["retry-after"].as_bytes()), (503, b"1".as_slice()));
        assert_eq!(grpc::refuse(&error).headers()["grpc-status"], "14");
    }
}
