//! Statuses, streams and frames.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use crm_proto::google::rpc;
use crm_transcode::{GrpcStatus, REASONS, RequestError, RouteError, Transcoder, Violation, frame, http_status};
use http::{HeaderMap, Method, StatusCode};
use prost::Message;
use prost_reflect::prost_types::{Any, Duration};
use serde_json::{Value, json};

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}

fn details(details: Vec<Any>) -> Vec<u8> {
    rpc::Status { details, ..rpc::Status::default() }.encode_to_vec()
}

#[test]
fn every_code_has_its_http_status() {
    let table = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
    for (code, expected) in (0..).zip(table) {
        assert_eq!(http_status(code).as_u16(), expected, "code {code}");
    }
    assert_eq!(http_status(17).as_u16(), 500);
    assert_eq!(http_status(-1).as_u16(), 500);
}

#[test]
fn details_are_shown_as_their_types() {
    let violation = rpc::bad_request::FieldViolation {
        field: "account.name".into(),
        description: "is empty".into(),
        reason: "REQUIRED".into(),
    };
    let details = details(vec![
        any("google.rpc.BadRequest", &rpc::BadRequest { field_violations: vec![violation] }),
        any(
            "google.rpc.ErrorInfo",
            &rpc::ErrorInfo {
                reason: "R".into(),
                domain: "bellwether".into(),
                metadata: [("k".into(), "v".into())].into(),
            },
        ),
        any("google.rpc.RetryInfo", &rpc::RetryInfo { retry_delay: Some(Duration { seconds: 1, nanos: 0 }) }),
        any(
            "google.rpc.PreconditionFailure",
            &rpc::PreconditionFailure {
                violations: vec![rpc::precondition_failure::Violation { r#type: "T".into(), ..Default::default() }],
            },
        ),
        any("google.rpc.ResourceInfo", &rpc::ResourceInfo { resource_type: "account".into(), ..Default::default() }),
        any("google.protobuf.Duration", &Duration { seconds: 2, nanos: 0 }),
        Any { type_url: "type.googleapis.com/unknown.Type".into(), value: vec![1, 2, 3] },
        Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(), value: vec![0xff] },
    ]);
    let (http, json) = things::transcoder().status_json(9, "no \"good\"", &details);
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(http, StatusCode::BAD_REQUEST);
    let expected = json!({"code": 9, "message": "no \"good\"", "details": [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "account.name", "description": "is empty", "reason": "REQUIRED"}],
        },
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "R", "domain": "bellwether", "metadata": {"k": "v"},
        },
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"},
        {"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": [{"type": "T"}]},
        {"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceType": "account"},
        {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "2s"},
        {"@type": "type.googleapis.com/unknown.Type", "value": "AQID"},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "value": "/w=="},
    ]});
    assert_eq!(json, expected);
}

#[test]
fn statuses_are_read_from_headers() {
    let check = |headers: &[(&'static str, &'static str)], expected: Option<(i32, &str, &[u8])>| {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let expected = expected.map(|(code, message, details)| GrpcStatus {
            code,
            message: message.into(),
            details: details.into(),
        });
        assert_eq!(GrpcStatus::from_headers(&headers), expected);
    };
    check(&[], None);
    check(&[("grpc-status", "0")], Some((0, "", b"")));
    check(&[("grpc-status", "5"), ("grpc-message", "no %22x%22 %C3%A9")], Some((5, "no \"x\" é", b"")));
    check(&[("grpc-status", "five")], Some((2, "", b"")));
    check(&[("grpc-status", "3"), ("grpc-status-details-bin", "AQI=")], Some((3, "", &[1, 2])));
    check(&[("grpc-status", "3"), ("grpc-status-details-bin", "AQI")], Some((3, "", &[1, 2])));
    check(&[("grpc-status", "3"), ("grpc-status-details-bin", "*")], Some((3, "", b"")));
}

#[test]
fn refusals_carry_reason_and_every_violation() {
    let transcoder = things::transcoder();
    let violation = |field: &str, reason| Violation { field: field.into(), description: "is wrong".into(), reason };
    let error = RequestError { violations: vec![violation("a", "INVALID_VALUE"), violation("b", "UNKNOWN_FIELD")] };
    let (http, json) = transcoder.request_error_json(&error);
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((http.as_u16(), &json["code"]), (400, &json!(3)));
    assert_eq!(
        json["details"][0]["fieldViolations"],
        json!([
            {"field": "a", "description": "is wrong", "reason": "INVALID_VALUE"},
            {"field": "b", "description": "is wrong", "reason": "UNKNOWN_FIELD"},
        ])
    );
    assert_eq!(
        json["details"][1],
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "INVALID_REQUEST", "domain": "bellwether",
        })
    );
    let too_large = RequestError { violations: vec![violation("body", "BODY_TOO_LARGE")] };
    assert_eq!(transcoder.request_error_json(&too_large).0.as_u16(), 413);
    let check = |error: RouteError, expected: (u16, i32, &str)| {
        let (http, json) = transcoder.route_error_json(&error);
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            (http.as_u16(), &json["code"], &json["details"][0]["reason"]),
            (expected.0, &json!(expected.1), &json!(expected.2))
        );
    };
    check(RouteError::NotFound, (404, 5, "ROUTE_NOT_FOUND"));
    check(RouteError::MethodNotAllowed { allow: vec![Method::GET] }, (405, 12, "METHOD_NOT_ALLOWED"));
}

#[test]
fn streams_are_lines_and_end_in_an_error_line() {
    let transcoder = things::transcoder();
    let found = transcoder.route(&Method::GET, "/v1/things:watch").unwrap();
    assert!(found.rpc.server_streaming);
    let message = transcoder.json_to_message("things.v1.Thing", &json!({"text": "a\nb"})).unwrap();
    let line = String::from_utf8(transcoder.response_line(found.rpc, &message).unwrap()).unwrap();
    assert!(line.contains(r#""text":"a\nb""#) && line.matches('\n').count() == 1 && line.ends_with("}\n"), "{line}");
    let last = transcoder.status_line(14, "gone", b"");
    assert_eq!(String::from_utf8(last).unwrap(), "{\"error\":{\"code\":14,\"message\":\"gone\",\"details\":[]}}\n");
}

#[test]
fn a_response_body_is_shown_alone() {
    let transcoder = things::transcoder();
    let message = transcoder.json_to_message("things.v1.ChangeThingResponse", &json!({"thing": {"id": "7"}})).unwrap();
    let check = |method: &Method, pointer: &str| {
        let found = transcoder.route(method, "/v1/things/7").unwrap();
        let json: Value = serde_json::from_slice(&transcoder.response_json(found.rpc, &message).unwrap()).unwrap();
        assert_eq!(json.pointer(pointer), Some(&json!("7")));
    };
    check(&Method::PATCH, "/id");
    check(&Method::PUT, "/thing/id");
}

#[test]
fn what_json_cannot_say_is_an_error() {
    let transcoder = things::transcoder();
    let far = Duration { seconds: i64::MAX, nanos: 0 };
    assert!(transcoder.message_to_json("google.protobuf.Duration", &far.encode_to_vec()).is_err());
    assert!(transcoder.message_to_json("google.protobuf.Timestamp", &far.encode_to_vec()).is_err());
    assert!(transcoder.message_to_json("things.v1.Thing", b"\xff").is_err());
    assert!(transcoder.message_to_json("no.Such", b"").is_err());
    assert!(transcoder.json_to_message("no.Such", &json!({})).is_err());
}

#[test]
fn frames_are_read_in_any_pieces() {
    let stream =
        [frame::encode(b"one").unwrap(), frame::encode(b"").unwrap(), frame::encode(&[7; 300]).unwrap()].concat();
    for size in [1, 2, 5, 7, 1000] {
        let (mut decoder, mut messages) = (frame::Decoder::new(300), Vec::new());
        for piece in stream.chunks(size) {
            decoder.push(piece);
            while let Some(message) = decoder.next_message().unwrap() {
                messages.push(message.to_vec());
            }
        }
        assert_eq!(decoder.finish(), Ok(()));
        assert_eq!(messages, [b"one".to_vec(), Vec::new(), vec![7; 300]], "pieces of {size}");
    }
}

#[test]
fn faulty_frames_are_refused_for_good() {
    let check = |bytes: &[u8], expected: frame::FrameError| {
        let mut decoder = frame::Decoder::new(4);
        decoder.push(bytes);
        assert_eq!(decoder.next_message(), Err(expected));
        decoder.push(&frame::encode(b"a").unwrap());
        assert_eq!(decoder.next_message(), Err(expected));
        assert_eq!(decoder.finish(), Err(expected));
    };
    check(&[1, 0, 0, 0, 0], frame::FrameError::Compressed);
    check(&[2], frame::FrameError::UnknownFlag);
    check(&[0, 0, 0, 0, 5], frame::FrameError::TooLong { length: 5, max: 4 });
    let mut decoder = frame::Decoder::new(4);
    decoder.push(&[0, 0, 0, 0, 4, 1]);
    assert_eq!(decoder.next_message(), Ok(None));
    assert_eq!(decoder.finish(), Err(frame::FrameError::Truncated));
}

#[test]
fn reasons_are_unique_and_well_formed() {
    for (index, (reason, when)) in REASONS.iter().enumerate() {
        assert!(reason.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && !when.is_empty());
        assert!(REASONS.iter().skip(index + 1).all(|(other, _)| other != reason), "{reason}");
    }
}

#[test]
fn transcoders_are_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Transcoder>();
}
