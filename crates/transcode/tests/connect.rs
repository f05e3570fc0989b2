//! Connect's JSON: a message as a whole, and errors of another form.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use crm_proto::google::rpc;
use crm_transcode::{Codec, Limits, RequestError, Transcoder};
use http::{HeaderMap, HeaderValue};
use prost::Message;
use prost_reflect::prost_types::Any;
use serde_json::{Value, json};

const CREATE: &str = "/crm.customers.v1.AccountService/CreateAccount";
const UPDATE: &str = "/crm.customers.v1.AccountService/UpdateAccount";
const KEY: &str = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";

fn read(rpc: &str, codec: Codec, key: Option<&'static str>, body: &[u8]) -> Result<Value, RequestError> {
    let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    let transcoder = transcoder.with_limits(Limits { body_bytes: 200, ..Limits::default() });
    let rpc = transcoder.rpc(rpc).unwrap();
    let mut headers = HeaderMap::new();
    headers.extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), HeaderValue::from_static(key))));
    let message = transcoder.whole(rpc, codec, &headers, body)?.messages.remove(0);
    Ok(serde_json::from_slice(&transcoder.message_to_json(rpc.request_type(), &message).unwrap()).unwrap())
}

#[test]
fn the_body_is_the_whole_message() {
    let update = json!({"account": {"id": "7", "name": "Acme"}, "updateMask": "name"});
    let read_back = read(UPDATE, Codec::Json, None, update.to_string().as_bytes()).unwrap();
    assert_eq!((&read_back["account"]["name"], &read_back["updateMask"]), (&json!("Acme"), &json!("name")));
    // Nothing is derived from what a body holds: it is not a PATCH.
    let read_back = read(UPDATE, Codec::Json, None, br#"{"account": {"id": "7"}}"#).unwrap();
    assert_eq!(read_back["updateMask"], Value::Null);
    assert_eq!(read(UPDATE, Codec::Json, None, b"{}").unwrap()["account"], Value::Null);
}

#[test]
fn json_is_as_strict_as_over_rest() {
    let check = |body: &str, reason: &str, field: &str| {
        let refused = read(CREATE, Codec::Json, None, body.as_bytes()).unwrap_err();
        assert_eq!((refused.reason(), refused.violations[0].field.as_str()), (reason, field), "{body}");
    };
    check("", "MALFORMED_JSON", "body");
    check(" ", "MALFORMED_JSON", "body");
    check("{", "MALFORMED_JSON", "body");
    check("[]", "INVALID_VALUE", "body");
    check(r#"{"acount": {}}"#, "UNKNOWN_FIELD", "acount");
    check(r#"{"account": {"nmae": ""}}"#, "UNKNOWN_FIELD", "account.nmae");
    check(r#"{"account": {"name": "a", "name": "b"}}"#, "CONFLICTING_VALUE", "account.name");
    check(r#"{"requestId": "a", "request_id": "b"}"#, "CONFLICTING_VALUE", "request_id");
    check(r#"{"account": {"employees": "+7"}}"#, "INVALID_VALUE", "account.employees");
    check(&format!("\"{}\"", "x".repeat(200)), "BODY_TOO_LARGE", "body");
}

#[test]
fn the_request_id_may_come_as_a_header() {
    let bytes = crm_proto::customers::CreateAccountRequest::default().encode_to_vec();
    let given = json!({"requestId": KEY}).to_string();
    for (codec, empty) in [(Codec::Json, b"{}".as_slice()), (Codec::Proto, &bytes)] {
        assert_eq!(read(CREATE, codec, Some(KEY), empty).unwrap()["requestId"], KEY);
        assert_eq!(read(CREATE, codec, None, empty).unwrap()["requestId"], "");
        // An RPC without one takes no notice.
        read(UPDATE, codec, Some(KEY), empty).unwrap();
    }
    assert_eq!(read(CREATE, Codec::Json, Some(KEY), given.as_bytes()).unwrap()["requestId"], KEY);
    let other = read(CREATE, Codec::Json, Some("another"), given.as_bytes()).unwrap_err();
    assert_eq!((other.reason(), other.violations[0].field.as_str()), ("CONFLICTING_VALUE", "Idempotency-Key"));
}

/// It is for the service to refuse, which has its own words for it.
#[test]
fn bytes_that_are_no_message_go_on_as_they_are() {
    let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    let rpc = transcoder.rpc(CREATE).unwrap();
    for headers in
        [HeaderMap::new(), HeaderMap::from_iter([("idempotency-key".parse().unwrap(), KEY.parse().unwrap())])]
    {
        let request = transcoder.whole(rpc, Codec::Proto, &headers, &[0xff]).unwrap();
        assert_eq!(request.messages, [&[0xff][..]]);
    }
}

fn any(name: &str, value: Vec<u8>) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value }
}

#[test]
fn errors_have_their_code_in_words_and_details_as_bytes() {
    let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    let info = rpc::ErrorInfo { reason: "R".into(), domain: "bellwether".into(), ..Default::default() };
    let details = vec![any("google.rpc.ErrorInfo", info.encode_to_vec()), any("unknown.Type", vec![1])];
    let details = rpc::Status { details, ..Default::default() }.encode_to_vec();
    let json: Value = serde_json::from_slice(&transcoder.connect_error(5, "no \"such\"", &details)).unwrap();
    assert_eq!((&json["code"], &json["message"]), (&json!("not_found"), &json!("no \"such\"")));
    assert_eq!(json["details"][0]["type"], "google.rpc.ErrorInfo");
    assert_eq!(json["details"][0]["value"], BASE64_STANDARD_NO_PAD.encode(info.encode_to_vec()));
    assert_eq!(json["details"][0]["debug"], json!({"reason": "R", "domain": "bellwether"}));
    assert_eq!(json["details"][1], json!({"type": "unknown.Type", "value": "AQ"}));
    let words = "ok canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied \
        resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss \
        unauthenticated unknown";
    for (code, word) in (0..).zip(words.split_whitespace()) {
        let json: Value = serde_json::from_slice(&transcoder.connect_error(code, "", b"")).unwrap();
        assert_eq!(json["code"], word, "{code}");
    }
}

#[test]
fn a_service_s_words_are_told_in_the_names_of_json() {
    let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    let rpc = transcoder.rpc(CREATE).unwrap();
    let violation = |field: &str| rpc::bad_request::FieldViolation { field: field.into(), ..Default::default() };
    let field_violations = ["account.annual_revenue.currency_code", "request_id"].map(violation).into();
    let bad_request = rpc::BadRequest { field_violations };
    let details = vec![any("google.rpc.BadRequest", bad_request.encode_to_vec())];
    let details = rpc::Status { details, ..Default::default() }.encode_to_vec();
    for (key, expected) in [(None, "requestId"), (Some(KEY), "Idempotency-Key")] {
        let mut headers = HeaderMap::new();
        headers
            .extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), HeaderValue::from_static(key))));
        let request = transcoder.whole(rpc, Codec::Json, &headers, b"{}").unwrap();
        let (message, details) = transcoder.respell(rpc, &request, "invalid: request_id", &details).unwrap();
        assert_eq!(message, format!("invalid: {expected}"));
        let status = rpc::Status::decode(&*details).unwrap();
        let told = rpc::BadRequest::decode(&*status.details[0].value).unwrap();
        let fields: Vec<_> = told.field_violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["account.annualRevenue.currencyCode", expected]);
    }
}
