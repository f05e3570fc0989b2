//! Every annotated RPC of the project's own API, there and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod contacts;
#[path = "../things/mod.rs"]
mod things;

use std::collections::BTreeSet;

use crm_proto::customers as pb;
use crm_transcode::{Idempotency, Transcoder};
use http::{HeaderMap, Method};
use prost::Message;
use prost_reflect::prost_types::{self, value::Kind};
use serde_json::Value;

fn transcoder() -> Transcoder {
    Transcoder::new(crm_proto::DESCRIPTORS).unwrap()
}

/// Method, URI, body → RPC and what its request message must be, in JSON.
type Row = (Method, &'static str, Value, &'static str, Value);

fn requests() -> Vec<Row> {
    [accounts::requests(), contacts::requests()].concat()
}

/// Of this API, and annotated: what is for other services alone has no route.
fn is_ours(rpc: &str) -> bool {
    rpc.starts_with("/crm.customers.v1.") && !rpc.ends_with("/WatchTenants")
}

#[test]
fn every_annotated_rpc_has_a_row_here() {
    let rows = requests().into_iter().map(|(_, _, _, rpc, _)| format!("/crm.customers.v1.{rpc}"));
    let transcoder = transcoder();
    let rpcs = transcoder.methods().filter(|rpc| is_ours(&rpc.path)).map(|rpc| rpc.path.clone());
    assert_eq!(rows.collect::<BTreeSet<_>>(), rpcs.collect::<BTreeSet<_>>());
}

#[test]
fn requests_become_messages_and_messages_json() {
    let transcoder = transcoder();
    for (method, uri, body, rpc, expected) in requests() {
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        let found = transcoder.route(&method, path).unwrap();
        assert_eq!(found.rpc.path, format!("/crm.customers.v1.{rpc}"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let message = transcoder.request(&found, query, &HeaderMap::new(), body.as_bytes()).unwrap().messages.remove(0);
        let json = transcoder.message_to_json(found.rpc.request_type(), &message).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert!(things::contains(&json, &expected), "{method} {uri}: {json} lacks {expected}");
        // Once more, and compared as JSON: bytes of maps are in any order.
        let back = transcoder.json_to_message(found.rpc.request_type(), &json).unwrap();
        let back = transcoder.message_to_json(found.rpc.request_type(), &back).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&back).unwrap(), json, "{method} {uri}");
    }
}

#[test]
fn generated_types_read_what_was_written() {
    let transcoder = transcoder();
    let found = transcoder.route(&Method::POST, "/v1/accounts").unwrap();
    let headers = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "r".parse().unwrap())]);
    let mut asked = transcoder.request(&found, None, &headers, br#"{"name": "Acme", "employees": 0}"#).unwrap();
    let request = pb::CreateAccountRequest::decode(asked.messages.remove(0)).unwrap();
    let account = pb::Account { name: "Acme".into(), employees: Some(0), ..pb::Account::default() };
    assert_eq!(
        request,
        pb::CreateAccountRequest { account: Some(account), request_id: "r".into(), ..Default::default() }
    );
}

#[test]
fn answers_show_empty_lists_and_tokens_but_no_absent_optionals() {
    let transcoder = transcoder();
    let check = |path: &str, message: Vec<u8>, expected: &str| {
        let found = transcoder.route(&Method::GET, path).unwrap();
        let json = transcoder.response_json(found.rpc, &message).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    };
    check("/v1/accounts", Vec::new(), r#"{"accounts":[],"nextPageToken":""}"#);
    let account = pb::Account {
        id: "7".into(),
        name: "Acme \"1\"".into(),
        annual_revenue: Some(crm_proto::google::r#type::Money { currency_code: "EUR".into(), units: 5, nanos: 0 }),
        create_time: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
        attributes: [
            ("tier".to_owned(), Kind::StringValue("gold".into())),
            ("seats".to_owned(), Kind::NumberValue(5.0)),
        ]
        .map(|(key, kind)| (key, prost_types::Value { kind: Some(kind) }))
        .into(),
        ..pb::Account::default()
    };
    let expected = concat!(
        r#"{"id":"7","name":"Acme \"1\"","domain":"","industry":"","country":"","territory":"","owner":"","#,
        r#""annualRevenue":{"currencyCode":"EUR","units":"5","nanos":0},"parentId":"","etag":"","#,
        r#""createTime":"1970-01-01T00:00:01.500Z","tagIds":[],"attributes":{"seats":5,"tier":"gold"}}"#
    );
    check("/v1/accounts/7", account.encode_to_vec(), expected);
}

#[test]
fn methods_tell_what_may_be_repeated() {
    let transcoder = transcoder();
    let check = |method: &str, expected: Idempotency| {
        assert_eq!(
            transcoder.rpc(&format!("/crm.customers.v1.AccountService/{method}")).unwrap().idempotency,
            expected
        );
    };
    check("CreateAccount", Idempotency::Idempotent);
    check("ListAccounts", Idempotency::NoSideEffects);
    check("UpdateAccount", Idempotency::Unknown);
    assert!(transcoder.rpc("/crm.customers.v1.AccountService/Nope").is_none());
    assert!(things::transcoder().methods().any(|rpc| rpc.method == "Chat" && rpc.client_streaming));
}
