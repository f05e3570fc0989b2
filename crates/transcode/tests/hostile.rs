//! Nothing that a caller or an upstream sends ends in a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use std::sync::LazyLock;

use crm_transcode::{GrpcStatus, Transcoder, frame};
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use serde_json::{Value, json};

static THINGS: LazyLock<Transcoder> = LazyLock::new(things::transcoder);

/// Pieces that mean something to a router or query parser, mixed with what does not.
fn uri_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/v1/".to_owned()),
        Just("things".to_owned()),
        Just("shelves/1/things/".to_owned()),
        Just(":find".to_owned()),
        Just("filter.".to_owned()),
        Just("plain/".to_owned()),
        Just("/of/".to_owned()),
        Just("since=".to_owned()),
        Just("colors=".to_owned()),
        Just("%".to_owned()),
        Just("&".to_owned()),
        Just("=".to_owned()),
        Just("/".to_owned()),
        Just(":".to_owned()),
        "[%0-9a-fA-F]{0,3}",
        ".{0,4}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![Just(Method::GET), Just(Method::POST), Just(Method::PUT), Just(Method::PATCH), Just(Method::HEAD)]
}

/// JSON whose keys are the test message's own, and whose values fit or do not.
fn thing_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[-+0-9.eEsTZ:]{0,24}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})"
            .prop_map(Value::from),
        "-?[0-9]{1,20}(\\.[0-9]{0,12})?s".prop_map(Value::from),
        Just(json!("type.googleapis.com/things.v1.Thing")),
        Just(json!("type.googleapis.com/google.protobuf.Value")),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "id",
            "color",
            "wide",
            "wider",
            "weight",
            "width",
            "data",
            "flag",
            "maybe",
            "tags",
            "counts",
            "shelves",
            "text",
            "shelf",
            "time",
            "lasting",
            "wrapped",
            "wrappedWide",
            "free",
            "anyJson",
            "any",
            "mask",
            "stack",
            "wrappedFlag",
            "colors",
            "@type",
            "value",
            "below",
            "number",
        ])
        .prop_map(str::to_owned),
        ".{0,3}",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Bytes that are often nearly messages: fields of low numbers, short lengths.
fn message_bytes() -> impl Strategy<Value = Vec<u8>> {
    let field = (1_u8..28, 0_u8..6, proptest::collection::vec(any::<u8>(), 0..12)).prop_map(|(number, wire, bytes)| {
        let tag = (u32::from(number) << 3) | u32::from(wire);
        let mut out =
            if tag < 128 { vec![u8::try_from(tag).unwrap()] } else { vec![u8::try_from(tag & 127).unwrap() | 128, 1] };
        if wire == 2 {
            out.push(u8::try_from(bytes.len()).unwrap());
        }
        out.extend(bytes);
        out
    });
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::collection::vec(field, 0..6).prop_map(|fields| fields.concat())
    ]
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..max)
}

/// Zeros make short frames likely.
fn mostly_zeros() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..12)
}

/// One length-delimited field around what is inside, many times.
fn nested(number: u8, times: usize) -> Vec<u8> {
    let mut reversed: Vec<u8> = Vec::new();
    for _ in 0..times {
        let mut length = reversed.len();
        let mut prefix = vec![(number << 3) | 2];
        while length > 127 {
            prefix.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        prefix.push(u8::try_from(length).unwrap());
        reversed.extend(prefix.iter().rev());
    }
    reversed.reverse();
    reversed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests(
        method in method(), path in uri_text(), query in uri_text(), key in bytes(6), body in bytes(40),
    ) {
        if let Ok(found) = THINGS.route(&method, &path) {
            let value = HeaderValue::from_bytes(&key).ok();
            let names = ["idempotency-key", "if-match", "if-none-match"];
            let headers = names.iter().filter_map(|name| Some((name.parse().unwrap(), value.clone()?))).collect();
            let _ = THINGS.request(&found, Some(&query), &headers, &body);
        }
    }

    #[test]
    fn queries(query in uri_text()) {
        let found = THINGS.route(&Method::GET, "/v1/things:find").unwrap();
        let _ = THINGS.request(&found, Some(&query), &HeaderMap::new(), b"");
    }

    #[test]
    fn bodies_that_are_accepted_round_trip(json in thing_json()) {
        let found = THINGS.route(&Method::POST, "/v1/things").unwrap();
        if let Ok(asked) = THINGS.request(&found, None, &HeaderMap::new(), json.to_string().as_bytes()) {
            let shown = THINGS.response_json(found.rpc, &asked.messages[0]).unwrap();
            let again = THINGS.request(&found, None, &HeaderMap::new(), &shown).unwrap();
            let again = THINGS.response_json(found.rpc, &again.messages[0]).unwrap();
            prop_assert_eq!(String::from_utf8(again), String::from_utf8(shown));
        }
        let patch = THINGS.route(&Method::PATCH, "/v1/things/7").unwrap();
        let _ = THINGS.request(&patch, None, &HeaderMap::new(), json.to_string().as_bytes());
    }

    #[test]
    fn upstream_messages(bytes in message_bytes()) {
        let known = ["Timestamp", "Duration", "Any", "Value", "FieldMask"];
        let known = known.map(|name| format!("google.protobuf.{name}"));
        for name in known.iter().map(String::as_str).chain(["things.v1.Thing"]) {
            if let Ok(json) = THINGS.message_to_json(name, &bytes) {
                prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
            }
        }
        let (_, json) = THINGS.status_json(3, "x", &bytes);
        prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
    }

    #[test]
    fn statuses(code in any::<i32>(), message in ".{0,20}", details in message_bytes(), header in bytes(20)) {
        let (_, json) = THINGS.status_json(code, &message, &details);
        prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
        if let Ok(header) = HeaderValue::from_bytes(&header) {
            let names = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
            let headers: HeaderMap = names.iter().map(|name| (name.parse().unwrap(), header.clone())).collect();
            prop_assert!(GrpcStatus::from_headers(&headers).is_some());
        }
    }

    #[test]
    fn frames(pieces in proptest::collection::vec(mostly_zeros(), 0..8)) {
        let mut decoder = frame::Decoder::new(64);
        for piece in pieces {
            decoder.push(&piece);
            while let Ok(Some(message)) = decoder.next_message() {
                prop_assert!(message.len() <= 64);
            }
        }
        let _ = decoder.finish();
    }
}

#[test]
fn deep_nesting_is_refused_or_bounded() {
    let found = THINGS.route(&Method::POST, "/v1/things").unwrap();
    let deep = format!("{{\"anyJson\":{}", "[".repeat(500_000));
    assert_eq!(
        THINGS.request(&found, None, &HeaderMap::new(), deep.as_bytes()).unwrap_err().reason(),
        "MALFORMED_JSON"
    );
    let query = format!("filter.shelf.{}number=1", "below.".repeat(10_000));
    let find = THINGS.route(&Method::GET, "/v1/things:find").unwrap();
    assert_eq!(THINGS.request(&find, Some(&query), &HeaderMap::new(), b"").unwrap_err().reason(), "UNKNOWN_FIELD");
    for (name, number) in [("things.v1.Shelf", 3), ("google.protobuf.ListValue", 1), ("google.protobuf.Any", 2)] {
        let message = nested(number, 20_000);
        let _ = THINGS.message_to_json(name, &message).map(|json| serde_json::from_slice::<Value>(&json).unwrap());
        let _ = THINGS.status_json(3, "", &message);
    }
    assert!(THINGS.message_to_json("things.v1.Shelf", &nested(3, 20_000)).is_err());
    assert!(THINGS.route(&Method::GET, &"/v1".repeat(100_000)).is_err());
    assert!(THINGS.route(&Method::GET, &"/".repeat(100_000)).is_err());
}
