//! Server streams as server-sent events: ids, going on, errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use crm_proto::google::rpc;
use crm_transcode::Transcoder;
use http::{HeaderMap, HeaderValue, Method};
use prost::Message;
use prost_reflect::prost_types::Any;
use serde_json::{Value, json};
use things::THINGS;

fn event(path: &str, kind: &str, message: &Value) -> String {
    let found = THINGS.route(&Method::GET, path).unwrap();
    let bytes = THINGS.json_to_message(kind, message).unwrap();
    String::from_utf8(THINGS.response_event(found.rpc, &bytes).unwrap()).unwrap()
}

#[test]
fn each_message_is_an_event_of_one_line_with_the_id_that_its_proto_marks() {
    let follow = |message| event("/v1/things:follow", "things.v1.FollowResponse", &message);
    assert_eq!(
        follow(json!({"names": ["a\nb\r\u{2028}c"], "mark": "7:42"})),
        "id: 7:42\ndata: {\"names\":[\"a\\nb\\r\u{2028}c\"],\"mark\":\"7:42\"}\n\n"
    );
    // A heart-beat without a mark, and a mark that would forge an event.
    assert_eq!(follow(json!({})), "data: {\"names\":[],\"mark\":\"\"}\n\n");
    let forged = follow(json!({"mark": "7\n\nevent: error"}));
    assert_eq!(forged, "data: {\"names\":[],\"mark\":\"7\\n\\nevent: error\"}\n\n");
    let unmarked = event("/v1/things:watch", "things.v1.Thing", &json!({"id": "7"}));
    assert!(unmarked.starts_with("data: {\"id\":\"7\"") && unmarked.ends_with("}\n\n"), "{unmarked}");
    let long = follow(json!({"names": ["x".repeat(1 << 20)]}));
    assert_eq!(long.lines().count(), 2);
}

#[test]
fn an_error_is_the_last_event() {
    let last = String::from_utf8(THINGS.status_event(14, "gone\nfor good", b"")).unwrap();
    let expected = r#"{"code":14,"message":"gone\nfor good","details":[]}"#;
    assert_eq!(last, format!("event: error\ndata: {expected}\n\n"));
}

/// The request, asked for by lines of `Last-Event-ID`.
fn asked(uri: &str, ids: &[&'static [u8]]) -> Result<Value, Vec<(String, String)>> {
    let line = |id: &&'static [u8]| HeaderValue::from_bytes(id).unwrap();
    let headers: HeaderMap = ids.iter().map(|id| (http::HeaderName::from_static("last-event-id"), line(id))).collect();
    things::read(&THINGS, &Method::GET, uri, &headers, "")
        .map_err(|error| error.violations.into_iter().map(|one| (one.field, one.reason.to_owned())).collect())
}

#[test]
fn whoever_comes_again_goes_on_where_it_was_whatever_its_address_says() {
    let check = |uri: &str, ids: &[&'static [u8]], after: &str| {
        let expected = json!({"owner": "ada", "after": after});
        assert_eq!(asked(uri, ids).unwrap(), expected, "{uri} {ids:?}");
    };
    check("/v1/things:follow?owner=ada", &[], "");
    check("/v1/things:follow?owner=ada&after=1", &[], "1");
    check("/v1/things:follow?owner=ada", &[b"7:42"], "7:42");
    check("/v1/things:follow?owner=ada&after=1", &[b"7:42"], "7:42");
    check("/v1/things:follow?owner=ada&after=1", &[b""], "1");
    check("/v1/things:follow?owner=ada", &[b"7", b"7", b""], "7");
    check("/v1/things:follow?owner=ada", &["é".as_bytes()], "é");
    let refused = |ids, reason: &str| {
        let expected = [("Last-Event-ID".to_owned(), reason.to_owned())];
        assert_eq!(asked("/v1/things:follow", ids).unwrap_err(), expected);
    };
    refused(&[b"7", b"8"], "CONFLICTING_VALUE");
    refused(&[b"\xff"], "INVALID_VALUE");
    // Where no field is marked it says nothing.
    assert!(asked("/v1/things:watch", &[b"7"]).is_ok());
    assert!(asked("/v1/things:find", &[b"7", b"8"]).is_ok());
}

#[test]
fn what_a_service_says_of_the_mark_names_the_header_that_brought_it() {
    let found = THINGS.route(&Method::GET, "/v1/things:follow").unwrap();
    let violation = rpc::bad_request::FieldViolation { field: "after".into(), ..Default::default() };
    let bad = rpc::BadRequest { field_violations: vec![violation] };
    let any = Any { type_url: "type.googleapis.com/google.rpc.BadRequest".into(), value: bad.encode_to_vec() };
    let details = rpc::Status { details: vec![any], ..Default::default() }.encode_to_vec();
    for (id, expected) in [(Some("7"), "invalid: Last-Event-ID"), (None, "invalid: after")] {
        let headers = id.map(|id| (http::HeaderName::from_static("last-event-id"), HeaderValue::from_static(id)));
        let asked = THINGS.request(&found, None, &headers.into_iter().collect(), b"").unwrap();
        assert_eq!(found.respell(&asked, "invalid: after", &details).unwrap().0, expected);
    }
}

#[test]
fn changes_have_their_cursor_for_an_id() {
    let ours = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    for service in ["customers", "sales"] {
        let uri = format!("/v1/changes/{service}:watch");
        let headers = [(http::HeaderName::from_static("last-event-id"), HeaderValue::from_static("c2"))];
        let read =
            |uri: &str| things::read(&ours, &Method::GET, uri, &headers.clone().into_iter().collect(), "").unwrap();
        assert_eq!(read(&format!("{uri}?cursor=now"))["cursor"], "c2");
        let found = ours.route(&Method::GET, &uri).unwrap();
        let message = crm_proto::journal::WatchChangesResponse { cursor: "c3".into(), ..Default::default() };
        let event = String::from_utf8(ours.response_event(found.rpc, &message.encode_to_vec()).unwrap()).unwrap();
        assert_eq!(event, "id: c3\ndata: {\"changes\":[],\"cursor\":\"c3\"}\n\n");
    }
}

#[test]
fn both_forms_and_the_header_are_described() {
    let check = |transcoder: &Transcoder, path: &str, goes_on: bool| {
        let document = transcoder.openapi("Things", "1");
        let operation = &document["paths"][path]["get"];
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/x-ndjson", "text/event-stream"], "{path}");
        assert_eq!(content["text/event-stream"]["schema"]["type"], "string");
        let header = json!({"$ref": "#/components/parameters/LastEventId"});
        assert_eq!(operation["parameters"].as_array().unwrap().contains(&header), goes_on, "{path}");
    };
    check(&THINGS, "/v1/things:follow", true);
    check(&THINGS, "/v1/things:watch", false);
}
