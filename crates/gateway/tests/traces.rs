//! What a call leaves behind for those who watch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use crm_proto::customers::{self as pb, account_service_client::AccountServiceClient};
use crm_telemetry::testing::{SpanData, attribute, record};
use http::{Method, StatusCode};
use support::{Rig, eventually, wire, with_token};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn of_trace(spans: &[SpanData], trace: &str) -> Vec<SpanData> {
    spans.iter().filter(|span| span.span_context.trace_id().to_string() == trace).cloned().collect()
}

#[tokio::test]
async fn a_rest_call_is_one_server_span_and_one_attempt_in_the_callers_trace() {
    let (recorder, _guard) = record();
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("traceparent", PARENT), ("ask-for", "traceparent")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/header", &headers, "").await;
    assert_eq!(answer.header("x-trace-id"), TRACE);
    assert!(answer.header("traceresponse").starts_with(&format!("00-{TRACE}-")), "{answer:?}");
    let passed_on = answer.json()["name"].as_str().unwrap().to_owned();
    assert!(passed_on.contains(TRACE) && passed_on != PARENT, "{passed_on}");

    eventually("both spans have ended", async || of_trace(&recorder.spans(), TRACE).len() == 2).await;
    let spans = of_trace(&recorder.spans(), TRACE);
    let server = spans.iter().find(|span| span.parent_span_is_remote).unwrap();
    assert_eq!(server.name, "crm.customers.v1.AccountService/GetAccount");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/v1/accounts/{id}"),
        ("http.response.status_code", "200"),
        ("rpc.status_code", "OK"),
    ] {
        assert_eq!(attribute(server, key).as_deref(), Some(value), "{key}");
    }
    let attempt = spans.iter().find(|span| !span.parent_span_is_remote).unwrap();
    assert_eq!(attempt.parent_span_id, server.span_context.span_id());
    assert_eq!(attribute(attempt, "crm.replica").as_deref(), Some("0"));
}

#[tokio::test]
async fn state_and_baggage_of_several_lines_pass_whole_and_a_second_parent_begins_a_trace() {
    let (_recorder, _guard) = record();
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let passed_on = async |parents: &[&str], asked: &str| {
        let own =
            [("authorization", bearer.as_str()), ("ask-for", asked), ("tracestate", "a=1"), ("tracestate", "b=2")];
        let parents = parents.iter().map(|parent| ("traceparent", *parent));
        let headers: Vec<_> =
            own.into_iter().chain([("baggage", "x=1"), ("baggage", "x2=y=z")]).chain(parents).collect();
        let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/header", &headers, "").await;
        (answer.header("x-trace-id") == TRACE, answer.json()["name"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(passed_on(&[PARENT], "tracestate").await, (true, "a=1,b=2".to_owned()));
    assert_eq!(passed_on(&[PARENT, PARENT], "tracestate").await, (false, String::new()));
    for parents in [&[PARENT][..], &[]] {
        let (_, baggage) = passed_on(parents, "baggage").await;
        let members: std::collections::BTreeSet<_> = baggage.split(',').collect();
        assert_eq!(members.into_iter().collect::<Vec<_>>(), ["x2=y%3Dz", "x=1"]);
    }
}

#[tokio::test]
async fn failures_are_counted_under_their_method_whichever_protocol_they_came_by() {
    let (_recorder, _guard) = record();
    let rig = Rig::start().await;
    assert_eq!(rig.get("/v1/accounts/missing").await.status, StatusCode::NOT_FOUND);
    let mut client = AccountServiceClient::new(wire::Grpc::connect(rig.public).await);
    let get = pb::GetAccountRequest { id: "missing".into() };
    client.get_account(with_token(get, &rig.token())).await.unwrap_err();
    let metrics = wire::rest(rig.admin, Method::GET, "/metrics", &[], "").await.text();
    let counted = metrics.lines().find(|line| {
        line.starts_with("crm_rpc_server_errors_total")
            && line.contains("AccountService/GetAccount")
            && line.contains("NOT_FOUND")
    });
    let count: f64 = counted.and_then(|line| line.rsplit(' ').next()).unwrap_or("0").parse().unwrap();
    assert!(count >= 2.0, "{metrics}");
}

#[tokio::test]
async fn a_stream_is_counted_when_it_ends() {
    let (recorder, _guard) = record();
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("traceparent", PARENT)];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts:export?filter=breaks", &headers, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    eventually("both spans have ended", async || of_trace(&recorder.spans(), TRACE).len() == 2).await;
    let spans = of_trace(&recorder.spans(), TRACE);
    let server = spans.iter().find(|span| span.parent_span_is_remote).unwrap();
    assert_eq!(attribute(server, "rpc.status_code").as_deref(), Some("ABORTED"));
}

#[tokio::test]
async fn a_call_over_connect_or_grpc_web_is_a_span_of_its_rpc() {
    let path = "/crm.customers.v1.AccountService/GetAccount";
    for (kind, body, told) in [
        ("application/json", bytes::Bytes::from_static(br#"{"id": "missing"}"#), Some(("404", path))),
        ("application/grpc-web", support::web::body(&pb::GetAccountRequest { id: "missing".into() }), None),
    ] {
        let (recorder, _guard) = record();
        let rig = Rig::start().await;
        let bearer = format!("Bearer {}", rig.token());
        let headers = [("authorization", bearer.as_str()), ("traceparent", PARENT), ("content-type", kind)];
        let answer = wire::rest(rig.public, Method::POST, path, &headers, body).await;
        assert_eq!(answer.header("x-trace-id"), TRACE, "{answer:?}");
        eventually("both spans have ended", async || of_trace(&recorder.spans(), TRACE).len() == 2).await;
        let spans = of_trace(&recorder.spans(), TRACE);
        let server = spans.iter().find(|span| span.parent_span_is_remote).unwrap();
        assert_eq!(server.name, "crm.customers.v1.AccountService/GetAccount");
        assert_eq!(attribute(server, "rpc.status_code").as_deref(), Some("NOT_FOUND"));
        for (at, key) in ["http.response.status_code", "http.route"].into_iter().enumerate() {
            let expected = told.map(|(status, route)| [status, route][at]);
            assert_eq!(attribute(server, key).as_deref(), expected, "{kind}: {key}");
        }
    }
}
