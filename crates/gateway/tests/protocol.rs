//! gRPC as its documents have it, at the gateway: headers, numbers of messages, health, reflection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use support::{Rig, wire::Grpc};
use tokio::time::timeout;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::Service;

const GET: &str = "/crm.customers.v1.AccountService/GetAccount";
const EXPORT: &str = "/crm.customers.v1.AccountService/ExportAccounts";
const CHECK: &str = "/grpc.health.v1.Health/Check";
const SOON: Duration = Duration::from_secs(10);

async fn call(rig: &Rig, path: &str, headers: &[(String, String)], body: Body) -> (Code, String) {
    let bearer = format!("Bearer {}", rig.token());
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers.chain([("authorization", bearer.as_str())]).collect();
    let client = Grpc::connect(rig.public).await;
    let response = timeout(SOON, client.stream(path, &headers, body)).await.expect("in time");
    let head = Status::from_header_map(response.headers());
    let trailers = timeout(SOON, response.into_body().collect()).await.expect("in time").unwrap();
    let status = head.or_else(|| trailers.trailers().and_then(Status::from_header_map)).expect("a status");
    assert!(status.get_details_retry_info().is_none(), "{status}");
    (status.code(), status.get_details_error_info().map(|info| info.reason).unwrap_or_default())
}

/// Pieces that come one after the other, as they are asked for.
fn pieces(pieces: &'static [&'static [u8]], ends: bool) -> Body {
    let begun = stream::iter(pieces).map(|piece| Ok::<_, Status>(Frame::data(Bytes::from_static(piece))));
    let begun = begun.then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    if ends { Body::new(StreamBody::new(begun)) } else { Body::new(StreamBody::new(begun.chain(stream::pending()))) }
}

const EMPTY: &[u8] = &[0; 5];

#[tokio::test]
async fn headers_beyond_the_limit_are_a_status_over_grpc_and_431_over_rest() {
    let rig = Rig::start().await;
    let named = |name: &str, length| vec![(name.to_owned(), "A".repeat(length))];
    let many = |count: usize| (0..count).map(|each| (format!("x-{each}"), String::from("1"))).collect::<Vec<_>>();
    let fits = (Code::Ok, String::new());
    let refused = (Code::ResourceExhausted, "HEADERS_TOO_LARGE".to_owned());
    for path in [GET, CHECK] {
        for headers in [named("x-large", 14_000), named("x-large-bin", 14_000), many(350)] {
            assert_eq!(call(&rig, path, &headers, pieces(&[EMPTY], true)).await, fits, "{path}");
        }
        for headers in [named("x-large", 16_384), named("x-large-bin", 20_000), named("x-large", 250_000), many(5_000)]
        {
            assert_eq!(call(&rig, path, &headers, pieces(&[EMPTY], true)).await, refused, "{path}");
        }
    }
    // What the gateway adds on the way must find room at the service.
    assert_eq!(call(&rig, GET, &named("x-large", 15_500), pieces(&[EMPTY], true)).await, refused);
    for length in [15_000, 60_000] {
        let path = format!("{GET}{}", "x".repeat(length));
        assert_eq!(call(&rig, &path, &[], pieces(&[EMPTY], true)).await, refused, "{length}");
    }

    let mut client = Grpc::connect(rig.public).await;
    let request = Request::get("/v1/accounts/7")
        .header("authorization", format!("Bearer {}", rig.token()))
        .header("x-large", "x".repeat(20_000))
        .body(Body::empty());
    let answer = client.call(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let json = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&json).contains("HEADERS_TOO_LARGE"), "{json:?}");
}

#[tokio::test]
async fn a_method_of_one_message_takes_one_and_no_replica_hears_of_more() {
    let rig = Rig::start().await;
    let refused = (Code::Unimplemented, "MESSAGE_COUNT".to_owned());
    for path in [GET, EXPORT, CHECK] {
        for (request, ends) in
            [(&[EMPTY, EMPTY][..], true), (&[EMPTY, EMPTY], false), (&[EMPTY, b"garbage"], true), (&[], true)]
        {
            assert_eq!(call(&rig, path, &[], pieces(request, ends)).await, refused, "{path} {request:?}");
        }
        let half = call(&rig, path, &[], pieces(&[b"\0\0", b"\0\0\x07\x0a\x05w"], true)).await;
        assert_eq!(half, (Code::InvalidArgument, "MESSAGE_MALFORMED".to_owned()), "{path}");
    }
    assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0);
    let one = call(&rig, GET, &[], pieces(&[b"\0\0\0", b"\0\x03\x0a", b"\x017"], true)).await;
    assert_eq!(one, (Code::Ok, String::new()));
}

#[tokio::test]
async fn a_watch_of_an_unknown_service_goes_on_until_the_gateway_ends() {
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
    let rig = Rig::start_with(1, |config| config.server.drain_grace = Duration::ZERO).await;
    let mut client = HealthClient::new(Grpc::connect(rig.public).await);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    let mut unknown = client.watch(ask("no.such.Service")).await.unwrap().into_inner();
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    let goes_on = timeout(Duration::from_millis(50), unknown.message()).await;
    assert!(goes_on.is_err(), "{goes_on:?}");
    let mut known = client.watch(ask("crm.customers.v1.AccountService")).await.unwrap().into_inner();
    assert_eq!(known.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    rig.shutdown.cancel();
    assert!(timeout(SOON, unknown.message()).await.expect("ends").unwrap().is_none());
}

#[tokio::test]
async fn the_older_reflection_lists_the_same_and_describes_it() {
    use tonic_reflection::pb::v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let rig = Rig::start().await;
    let mut client = ServerReflectionClient::new(Grpc::connect(rig.public).await);
    let ask = |message_request| ServerReflectionRequest { host: String::new(), message_request: Some(message_request) };
    let names = [
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
    let described = names.map(|name| ask(MessageRequest::FileContainingSymbol(name.to_owned())));
    let asked = std::iter::once(ask(MessageRequest::ListServices(String::new()))).chain(described);
    let asked: Vec<_> = asked.collect();
    let mut answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
    let listed = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else { panic!("{listed:?}") };
    assert_eq!(listed.service.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), names);
    for name in names {
        let file = answers.message().await.unwrap().unwrap().message_response;
        assert!(matches!(file, Some(MessageResponse::FileDescriptorResponse(_))), "{name}: {file:?}");
    }
}
