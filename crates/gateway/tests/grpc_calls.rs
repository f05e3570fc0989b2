//! gRPC through the gateway: bytes, trailers and streams as they come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use crm_proto::customers::{self as pb, account_service_client::AccountServiceClient};
use futures_util::StreamExt;
use http::Method;
use http_body_util::BodyExt;
use support::{
    Rig, eventually,
    wire::{self, Grpc},
    with_token,
};
use tonic::Code;
use tower::ServiceExt;

const GET: &str = "/crm.customers.v1.AccountService/GetAccount";

fn get(id: &str) -> pb::GetAccountRequest {
    pb::GetAccountRequest { id: id.into() }
}

#[tokio::test]
async fn unary_calls_and_their_errors_pass() {
    let rig = Rig::start().await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let token = rig.token();
    let account = client.get_account(with_token(get("7"), &token)).await.unwrap().into_inner();
    assert_eq!(account, support::fake::account("7"));
    let status = client.get_account(with_token(get("missing"), &token)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such account"));
    assert!(!status.details().is_empty(), "the details pass, too");
}

#[tokio::test]
async fn streams_pass_with_their_errors() {
    let rig = Rig::start().await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let ask = |filter: &str| pb::ExportAccountsRequest { filter: filter.into(), ..Default::default() };
    let mut stream = client.export_accounts(with_token(ask("500"), &rig.token())).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(account) = stream.message().await.unwrap() {
        assert_eq!(account.id, count.to_string());
        count += 1;
    }
    assert_eq!(count, 500);
    let mut stream = client.export_accounts(with_token(ask("breaks"), &rig.token())).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some() && stream.message().await.unwrap().is_some());
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Aborted);
}

#[tokio::test]
async fn cancelled_calls_are_cancelled_behind() {
    let rig = Rig::start().await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let running = || rig.seen().running.load(Ordering::SeqCst);
    let hanging = tokio::spawn({
        let (mut client, request) = (client.clone(), with_token(get("hang"), &rig.token()));
        async move { client.get_account(request).await }
    });
    eventually("the call has arrived", async || running() == 1).await;
    hanging.abort();
    eventually("the call is cancelled", async || running() == 0).await;

    let endless = pb::ExportAccountsRequest { filter: "endless".into(), ..Default::default() };
    let mut stream = client.export_accounts(with_token(endless, &rig.token())).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    drop(stream);
    eventually("the stream is cancelled", async || running() == 0).await;
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    let rig = Rig::start().await;
    let client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let mut client = client.max_decoding_message_size(32 << 20).max_encoding_message_size(32 << 20);
    let account = client.get_account(with_token(get("large"), &rig.token())).await.unwrap().into_inner();
    assert_eq!(account.name.len(), 2 << 20);
    let account = pb::Account { name: "y".repeat(3 << 20), ..Default::default() };
    let create = pb::CreateAccountRequest { account: Some(account), request_id: "1".into(), ..Default::default() };
    let account = client.create_account(with_token(create, &rig.token())).await.unwrap().into_inner();
    assert_eq!(account.name.len(), 3 << 20);
}

/// A `GetAccountRequest` with a field that no descriptor knows.
fn with_unknown_field(id: &str) -> Bytes {
    let mut message = BytesMut::new();
    message.put_slice(&[0x0a, u8::try_from(id.len()).unwrap()]);
    message.put_slice(id.as_bytes());
    message.put_slice(&[0xba, 0x3e, 3]);
    message.put_slice(b"new");
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(&message);
    frame.freeze()
}

#[tokio::test]
async fn fields_that_nobody_here_knows_and_metadata_pass_untouched() {
    let rig = Rig::start().await;
    let client = Grpc::connect(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("ask-for", "x-mine-bin"), ("x-mine-bin", "AAEC")];
    let answer = client.raw(GET, &headers, with_unknown_field("header")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let collected = answer.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
}

/// A gateway that also routes the service that echoes, without tokens.
async fn rig_with_echo() -> Rig {
    Rig::start_with(1, |config| {
        let mut echo = config.routes.0[0].clone();
        echo.key = "peers.v1.Echo".to_owned();
        echo.auth = false;
        config.routes.0.push(echo);
    })
    .await
}

#[tokio::test]
async fn bytes_headers_and_trailers_pass_as_they_are() {
    let rig = rig_with_echo().await;
    let client = Grpc::connect(rig.public).await;
    // Not even a frame: the gateway does not look.
    let bytes = Bytes::from((0..100_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    let answer = client.raw("/peers.v1.Echo/Call", &[], bytes.clone()).await;
    assert_eq!((answer.status(), &answer.headers()["x-head"]), (http::StatusCode::OK, &"1".parse().unwrap()));
    assert_eq!(answer.headers()["content-type"], "application/grpc+proto");
    let collected = answer.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-echo-bin"], "AAEC");
    assert_eq!(collected.to_bytes(), bytes);
}

#[tokio::test]
async fn both_directions_stream_at_once() {
    let rig = rig_with_echo().await;
    let client = Grpc::connect(rig.public).await;
    let (pieces, body) = tokio::sync::mpsc::channel::<Bytes>(1);
    let body = tokio_stream::wrappers::ReceiverStream::new(body);
    let body = http_body_util::StreamBody::new(body.map(|piece| Ok::<_, tonic::Status>(http_body::Frame::data(piece))));
    let mut answer = client.stream("/peers.v1.Echo/Chat", &[], tonic::body::Body::new(body)).await;
    for word in ["one", "two", "three"] {
        pieces.send(Bytes::from_static(word.as_bytes())).await.unwrap();
        let frame = tokio::time::timeout(Duration::from_secs(5), answer.frame()).await;
        assert_eq!(frame.expect("an answer before the end").unwrap().unwrap().into_data().unwrap(), word);
    }
    drop(pieces);
    let end = answer.frame().await.unwrap().unwrap();
    assert_eq!(end.trailers_ref().unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn reflection_tells_of_the_services_that_are_routed() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let rig = rig_with_echo().await;
    let mut client = ServerReflectionClient::new(Grpc::connect(rig.public).await);
    let ask = |message_request| ServerReflectionRequest { host: String::new(), message_request: Some(message_request) };
    let asked = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("crm.customers.v1.AccountService".into())),
    ];
    let mut answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
    let listed = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else { panic!("{listed:?}") };
    let names: Vec<&str> = listed.service.iter().map(|service| service.name.as_str()).collect();
    let expected = [
        "crm.customers.v1.AccountService",
        "crm.customers.v1.ActivityService",
        "crm.customers.v1.AttributeDefinitionService",
        "crm.customers.v1.ChangeService",
        "crm.customers.v1.ContactService",
        "crm.customers.v1.ImportService",
        "crm.customers.v1.OperationService",
        "crm.customers.v1.SavedViewService",
        "crm.customers.v1.SearchService",
        "crm.customers.v1.TableService",
        "crm.customers.v1.TagService",
        "grpc.health.v1.Health",
    ];
    assert_eq!(names, expected);
    let file = answers.message().await.unwrap().unwrap().message_response;
    assert!(matches!(file, Some(MessageResponse::FileDescriptorResponse(_))), "{file:?}");
}

#[tokio::test]
async fn health_needs_no_token_and_is_told_for_the_gateway_and_by_service() {
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
    let rig = Rig::start().await;
    let mut client = HealthClient::new(Grpc::connect(rig.public).await);
    for service in ["", "crm.customers.v1.AccountService"] {
        let answer = client.check(HealthCheckRequest { service: service.into() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
    }
    let unknown = client.check(HealthCheckRequest { service: "crm.sales.v1.LeadService".into() }).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn only_calls_that_may_be_sent_twice_are() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let tries = async |method: Method, key: Option<&str>| {
        let before = rig.seen().calls.load(Ordering::SeqCst);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let path = "/v1/accounts/unavailable";
        let body = if method == Method::GET { "" } else { "{}" };
        let answer = wire::rest(rig.public, method, path, &headers, body).await;
        assert_eq!(answer.status, http::StatusCode::SERVICE_UNAVAILABLE);
        rig.seen().calls.load(Ordering::SeqCst) - before
    };
    assert!(tries(Method::GET, None).await > 1, "declared to have no side effects");
    assert_eq!(tries(Method::PATCH, None).await, 1);
    assert_eq!(tries(Method::PATCH, Some("k")).await, 1, "a method that does not look at the key");
    let off = wire::rest(
        rig.control,
        Method::PUT,
        "/switches/retries",
        &[("content-type", "application/json")],
        r#"{"on":false}"#,
    );
    assert_eq!(off.await.status, http::StatusCode::OK);
    assert_eq!(tries(Method::GET, None).await, 1);
}

#[tokio::test]
async fn unknown_services_are_unimplemented_and_unknown_methods_the_services_affair() {
    let rig = Rig::start().await;
    let client = Grpc::connect(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    for path in ["/crm.sales.v1.LeadService/GetLead", "/nothing", "/a/b/c", "/crm.customers.v1.AccountService/Invent"] {
        let answer = client.raw(path, &[("authorization", &bearer)], with_unknown_field("7")).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["grpc-status"], "12", "{path}");
    }
}

#[tokio::test]
async fn deadlines_are_passed_on_less_what_was_spent_and_capped() {
    let rig = Rig::start_with(1, |config| {
        config.calls.default_timeout = Duration::from_secs(5);
        config.calls.max_timeout = Duration::from_secs(20);
    })
    .await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    for (given, at_most_ms) in [(None, 5_000_u64), (Some("800m"), 800), (Some("1H"), 20_000)] {
        let mut request = with_token(get("header"), &rig.token());
        request.metadata_mut().insert("ask-for", "grpc-timeout".parse().unwrap());
        if let Some(given) = given {
            request.metadata_mut().insert("grpc-timeout", given.parse().unwrap());
        }
        let told = client.get_account(request).await.unwrap().into_inner().name;
        let millis = wire::millis(&told);
        assert!(millis <= at_most_ms && millis > at_most_ms / 2, "{given:?}: {told}");
    }
}

#[tokio::test]
async fn a_call_is_a_post() {
    let rig = Rig::start().await;
    for path in ["/crm.customers.v1.AccountService/GetAccount", "/grpc.health.v1.Health/Check", "/v1/accounts"] {
        let request = http::Request::get(format!("http://{}{path}", rig.public))
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {}", rig.token()))
            .body(tonic::body::Body::empty());
        let answer = Grpc::connect(rig.public).await.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), http::StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.headers()["allow"].to_str().unwrap().contains("POST"), "{path}");
    }
    assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_deadline_that_passes_is_deadline_exceeded() {
    let rig = Rig::start().await;
    let mut client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let mut request = with_token(get("hang"), &rig.token());
    request.metadata_mut().insert("grpc-timeout", "150m".parse().unwrap());
    let status = client.get_account(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    for (given, had) in [("0S", "0ns"), ("1n", "1ms")] {
        let mut request = with_token(get("hang"), &rig.token());
        request.metadata_mut().insert("grpc-timeout", given.parse().unwrap());
        let status = client.get_account(request).await.unwrap_err();
        assert_eq!(status.message(), format!("the call took longer than the {had} that it had"), "{given}");
    }
    eventually("the work behind is cancelled", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_killed_replica_is_tried_around_for_calls_that_may_be_sent_twice() {
    let mut rig = Rig::start_with(3, |_| {}).await;
    let client = AccountServiceClient::new(Grpc::connect(rig.public).await);
    let token = rig.token();
    let mut calls = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (mut client, token) = (client.clone(), token.clone());
        calls.spawn(async move {
            for number in 0..100 {
                let id = format!("{worker}-{number}");
                client.get_account(with_token(get(&id), &token)).await.unwrap();
            }
        });
    }
    drop(rig.replicas.remove(1));
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn requests_that_never_end_take_no_place_and_no_replica_is_blamed() {
    let rig = Rig::start().await;
    let client = Grpc::connect(rig.public).await;
    let bearer = format!("Bearer {}", rig.token());
    let unfinished = (0..20).map(|_| {
        let body = tonic::body::Body::new(http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<Bytes>, tonic::Status>,
        >()));
        let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "700m")];
        let client = client.clone();
        async move { client.stream("/crm.customers.v1.AccountService/GetAccount", &headers, body).await }
    });
    let answers = futures_util::future::join_all(unfinished);
    let meanwhile = async {
        let upstream = wire::rest(rig.control, Method::GET, "/upstreams/customers", &[], "").await.json();
        (upstream["replicas"][0]["in_flight"].clone(), rig.get("/v1/accounts/7").await.status)
    };
    let (answers, (in_flight, status)) = tokio::join!(answers, meanwhile);
    assert_eq!((in_flight, status), (serde_json::json!(0), http::StatusCode::OK));
    assert!(answers.iter().all(|answer| answer.headers()["grpc-status"] == "4"));
    let upstream = wire::rest(rig.control, Method::GET, "/upstreams/customers", &[], "").await.json();
    assert_eq!(upstream["replicas"][0]["failures"], 0, "{upstream}");
}
