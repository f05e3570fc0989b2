//! Faults through the control API, with replicas that run the platform's own server stack.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use crm_gateway::Target;
use crm_proto::server::{self as pb, fault_service_client::FaultServiceClient};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Rig, eventually, wire};
use tonic::Code;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const ONE: &str = "/upstreams/customers/replicas/0/fault";
const ALL: &str = "/upstreams/customers/replicas/all/fault";

async fn control(rig: &Rig, method: Method, path: &str, body: &Value) -> wire::Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    wire::rest(rig.control, method, path, &JSON, body).await
}

async fn put(rig: &Rig, path: &str, body: Value) -> wire::Answer {
    control(rig, Method::PUT, path, &body).await
}

/// What each replica has, as the control API tells it.
async fn faults(rig: &Rig) -> Vec<Value> {
    let upstream = control(rig, Method::GET, "/upstreams/customers", &Value::Null).await.json();
    upstream["replicas"].as_array().unwrap().iter().map(|replica| replica["fault"].clone()).collect()
}

async fn allowed(rig: &Rig) -> Value {
    control(rig, Method::GET, "/upstreams", &Value::Null).await.json()["faults"]["allowed"].clone()
}

#[tokio::test]
async fn one_replica_is_broken_and_healed() {
    let rig = Rig::start_breakable(2, true).await;
    assert_eq!((allowed(&rig).await, faults(&rig).await), (json!(true), vec![Value::Null, Value::Null]));

    let answer = put(&rig, ONE, json!({"delay_ms": 40, "error_rate": 0.5, "code": "ABORTED", "for_s": 60})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let fault = &answer.json()["replicas"][0]["fault"];
    assert_eq!(
        (&fault["delay_ms"], &fault["error_rate"], &fault["code"]),
        (&json!(40), &json!(0.5), &json!("ABORTED"))
    );
    assert!((50.0..=60.0).contains(&fault["remaining_s"].as_f64().unwrap()), "{fault}");
    assert_eq!(faults(&rig).await[1], Value::Null);

    let healed = control(&rig, Method::DELETE, ONE, &Value::Null).await;
    assert_eq!(healed.status, StatusCode::OK, "{}", healed.text());
    assert_eq!(faults(&rig).await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn all_replicas_fail_until_they_are_healed() {
    let rig = Rig::start_breakable(2, true).await;
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
    assert_eq!(put(&rig, ALL, json!({"fail_fast": true, "code": "INTERNAL"})).await.status, StatusCode::OK);
    let failed = rig.get("/v1/accounts/7").await;
    assert_eq!((failed.status, failed.reason().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "FAULT_INJECTED"));
    assert_eq!(control(&rig, Method::DELETE, ALL, &Value::Null).await.status, StatusCode::OK);
    // Those that failed may have been ejected for it.
    eventually("calls are answered again", async || rig.get("/v1/accounts/7").await.status == StatusCode::OK).await;
}

#[tokio::test]
async fn what_another_gateway_sets_is_seen() {
    let rig = Rig::start_breakable(1, true).await;
    assert_eq!(faults(&rig).await, [Value::Null]);
    let grpc = wire::Grpc::connect(rig.replicas[0].address).await;
    let origin = format!("http://{}", rig.replicas[0].address).parse().unwrap();
    let mut other = FaultServiceClient::with_origin(grpc, origin);
    let hang = pb::Fault { hang: true, ..Default::default() };
    other.set_fault(pb::SetFaultRequest { fault: Some(hang) }).await.unwrap();
    eventually("the fault is seen", async || faults(&rig).await[0]["hang"] == true).await;
    other.clear_fault(pb::ClearFaultRequest {}).await.unwrap();
    eventually("its end is seen", async || faults(&rig).await[0].is_null()).await;
}

#[tokio::test]
async fn mistakes_are_told_all_at_once() {
    let rig = Rig::start_breakable(1, true).await;
    let cases = [
        (ONE, "{}", StatusCode::BAD_REQUEST, "INVALID_CHANGE", "fault"),
        (ONE, "{", StatusCode::BAD_REQUEST, "INVALID_CHANGE", "body"),
        (ONE, "[]", StatusCode::BAD_REQUEST, "INVALID_CHANGE", "body"),
        (ONE, "{\"hang\":1,\"code\":\"OK\",\"x\":1}", StatusCode::BAD_REQUEST, "INVALID_CHANGE", "code hang x"),
        (ONE, "{\"hang\":false,\"hang\":true}", StatusCode::BAD_REQUEST, "CONFLICTING_VALUE", "hang"),
        (ONE, "{\"hang\":true,\"hang\":true}", StatusCode::BAD_REQUEST, "CONFLICTING_VALUE", "hang"),
        (ONE, "{\"error_rate\":2,\"for_s\":0}", StatusCode::BAD_REQUEST, "INVALID_CHANGE", "error_rate for_s"),
        ("/upstreams/sales/replicas/0/fault", "{\"hang\":true}", StatusCode::NOT_FOUND, "UNKNOWN_UPSTREAM", ""),
        ("/upstreams/customers/replicas/1/fault", "{\"hang\":true}", StatusCode::NOT_FOUND, "UNKNOWN_REPLICA", ""),
        ("/upstreams/customers/replicas/x/fault", "{\"hang\":true}", StatusCode::NOT_FOUND, "UNKNOWN_REPLICA", ""),
    ];
    for (path, body, status, reason, fields) in cases {
        let answer = wire::rest(rig.control, Method::PUT, path, &JSON, body).await;
        assert_eq!((answer.status, answer.reason().as_str()), (status, reason), "{path} {body}");
        assert_eq!(violated(&answer.json()), fields, "{path} {body}");
    }
    let healing = control(&rig, Method::DELETE, "/upstreams/customers/replicas/9/fault", &Value::Null).await;
    assert_eq!(healing.reason(), "UNKNOWN_REPLICA");
    let wrong = control(&rig, Method::POST, ONE, &json!({})).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(faults(&rig).await, [Value::Null]);
}

/// Fields of all violations.
fn violated(error: &Value) -> String {
    let details = error["details"].as_array().cloned().unwrap_or_default();
    let violations = details.iter().find_map(|detail| detail["fieldViolations"].as_array());
    let fields = violations.into_iter().flatten().map(|violation| violation["field"].as_str().unwrap());
    fields.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn who_is_not_set_up_for_it_refuses() {
    let rig = Rig::start_breakable(1, false).await;
    assert_eq!(allowed(&rig).await, false);
    for method in [Method::PUT, Method::DELETE] {
        let answer = control(&rig, method, ONE, &json!({"hang": true})).await;
        assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::BAD_REQUEST, "FAULTS_OFF"));
    }
    // Replicas of others, that know of no faults.
    let rig = Rig::start_with(1, |config| config.faults = true).await;
    let answer = put(&rig, ONE, json!({"hang": true})).await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::BAD_REQUEST, "FAULTS_NOT_OFFERED"));
    assert_eq!(faults(&rig).await, [Value::Null]);
}

#[tokio::test]
async fn a_replica_that_is_down_cannot_be_broken_but_is_healed() {
    let mut rig = Rig::start_breakable(2, true).await;
    drop(rig.replicas.remove(0));
    eventually("the replica is down", async || {
        let answer = put(&rig, ONE, json!({"hang": true})).await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.reason() == "REPLICA_SILENT"
    })
    .await;
    let both = put(&rig, ALL, json!({"delay_ms": 1})).await;
    assert_eq!(both.reason(), "REPLICA_SILENT");
    assert!(both.json()["message"].as_str().unwrap().contains("replica 0"), "{}", both.text());
    assert_eq!(faults(&rig).await[1]["delay_ms"], 1, "the other one has it");
    assert_eq!(control(&rig, Method::DELETE, ALL, &Value::Null).await.status, StatusCode::OK);
    assert_eq!(faults(&rig).await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_silent_replica_does_not_hold_up_those_who_look() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let rig = Rig::start_with(1, |config| {
        config.faults = true;
        if let Target::Static(replicas) = &mut config.routes.0[0].target {
            replicas.push(address);
        }
    })
    .await;
    let looked = tokio::time::timeout(Duration::from_secs(2), faults(&rig)).await;
    assert_eq!(looked.expect("in time"), [Value::Null, Value::Null]);
}

/// From outside nobody reaches what breaks a replica, whether it is there or not.
#[tokio::test]
async fn the_gateway_forwards_no_call_to_the_fault_service() {
    let rig = Rig::start_breakable(1, true).await;
    let grpc = wire::Grpc::connect(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    for method in ["GetFault", "SetFault", "ClearFault"] {
        let path = format!("/crm.server.v1.FaultService/{method}");
        let response = grpc.raw(&path, &[("authorization", &bearer)], Bytes::from_static(&[0; 5])).await;
        let status = tonic::Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert_eq!(rig.rest(Method::POST, &path, "{}").await.status, StatusCode::NOT_FOUND);
    }
    let described = rig.get("/openapi.json").await.text();
    assert!(described.contains("AccountService") && !described.contains("FaultService"));
}
