//! gRPC as its documents have it, at a service's own port: headers, messages, health, reflection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::time::Duration;

use bytes::Bytes;
use crm_server::process::ServerSettings;
use crm_server::stack::StackSettings;
use crm_server::token::Role;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use support::{Channel, Server, raw, reason};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

const GET: &str = "crm.customers.v1.AccountService/GetAccount";
const EXPORT: &str = "crm.customers.v1.AccountService/ExportAccounts";
const CHECK: &str = "grpc.health.v1.Health/Check";
const INFO: &str = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const EMPTY: &[u8] = &[0; 5];
/// A `ServerReflectionRequest` for `list_services`.
const LIST: &[u8] = b"\0\0\0\0\x02\x3a\0";
const SOON: Duration = Duration::from_secs(10);

/// A call whose headers are longer by these.
async fn call(server: &Server, path: &str, headers: &[(String, String)], body: Body) -> Status {
    let mut request = Request::post(format!("{}{path}", server.origin()))
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {}", server.token(Role::Admin)));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    raw(&mut server.channel().await, request.body(body).unwrap()).await
}

fn empty() -> Body {
    Body::new(Full::from(&[0_u8; 5][..]))
}

/// The rest of the request has 300 bytes or so, of which the token is most.
#[tokio::test]
async fn headers_beyond_the_limit_are_a_status_whatever_makes_them_long() {
    let server = Server::start().await;
    let named = |name: &str, length| vec![(name.to_owned(), "A".repeat(length))];
    let many = |count: usize| (0..count).map(|each| (format!("x-{each}"), String::from("1"))).collect::<Vec<_>>();
    let long_path = |length: usize| format!("{GET}{}", "x".repeat(length));
    for path in [GET, CHECK] {
        for fits in [named("x-large", 15_000), named("x-large-bin", 15_000), many(380), vec![]] {
            assert_eq!(call(&server, path, &fits, empty()).await.code(), Code::Ok, "{path}");
        }
        let beyond = [named("x-large", 16_384), named("x-large-bin", 16_384), named("x-large", 250_000)];
        for headers in beyond.into_iter().chain([many(500), many(5_000)]) {
            let status = call(&server, path, &headers, empty()).await;
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::ResourceExhausted, "HEADERS_TOO_LARGE"),
                "{path}: {} headers: {status}",
                headers.len()
            );
            assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
        }
    }
    assert_eq!(reason(&call(&server, &long_path(15_000), &[], empty()).await), "METHOD_UNKNOWN");
    assert_eq!(reason(&call(&server, &long_path(17_000), &[], empty()).await), "HEADERS_TOO_LARGE");
}

#[tokio::test]
async fn the_limit_of_headers_is_counted_as_http_2_counts() {
    // method, scheme, path, authority, content-type, content-length, x-fill: 7 times 32, and what they hold.
    let path = "/grpc.health.v1.Health/Check";
    let server = Server::start().await;
    let authority = server.address.to_string();
    let rest =
        ":methodPOST:schemehttp:pathcontent-typeapplication/grpccontent-length5x-fill:authority".len() + path.len();
    let room = 16 * 1024 - 7 * 32 - rest - authority.len();
    for (length, code) in [(room, Code::Ok), (room + 1, Code::ResourceExhausted)] {
        let request = Request::post(format!("http://{authority}{path}"))
            .header("content-type", "application/grpc")
            .header("x-fill", "x".repeat(length));
        let status = raw(&mut server.channel().await, request.body(empty()).unwrap()).await;
        assert_eq!(status.code(), code, "{length}");
    }
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

#[tokio::test]
async fn a_method_of_one_message_takes_one() {
    let server = Server::start().await;
    for path in [GET, EXPORT, CHECK] {
        for (request, ends) in
            [(&[EMPTY, EMPTY][..], true), (&[EMPTY, EMPTY], false), (&[EMPTY, b"x"], true), (&[], true)]
        {
            let status = timeout(SOON, call(&server, path, &[], pieces(request, ends))).await.expect("in time");
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unimplemented, "MESSAGE_COUNT"),
                "{path} {request:?}"
            );
        }
        let half = call(&server, path, &[], pieces(&[b"\0\0", b"\0\0\x07\x0a\x05w"], true)).await;
        assert_eq!((half.code(), reason(&half).as_str()), (Code::InvalidArgument, "MESSAGE_MALFORMED"), "{path}");
    }
    assert_eq!(call(&server, GET, &[], pieces(&[b"\0\0\0", b"\0\x05\x0a", b"\x03who"], true)).await.code(), Code::Ok);
}

#[tokio::test]
async fn a_streamed_message_that_is_too_large_ends_the_call_with_that_status() {
    let server = Server::start().await;
    for ends in [true, false] {
        // A length beyond the limit, by one.
        let body = pieces(&[LIST, b"\0\0\x40\0\x01"], ends);
        let status = timeout(SOON, call(&server, INFO, &[], body)).await.expect("in time");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"), "{ends}");
    }
    assert_eq!(call(&server, INFO, &[], pieces(&[LIST, LIST], true)).await.code(), Code::Ok);
}

fn ask(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

async fn health(server: &Server) -> HealthClient<Channel> {
    HealthClient::with_origin(server.channel().await, server.origin())
}

#[tokio::test]
async fn a_watch_of_an_unknown_service_goes_on_until_the_process_ends() {
    let settings = ServerSettings { drain_grace: Duration::ZERO, ..ServerSettings::default() };
    let server = Server::with(StackSettings::default(), settings).await;
    let mut client = health(&server).await;
    assert_eq!(client.check(ask("no.such.Service")).await.unwrap_err().code(), Code::NotFound);
    let left = client.watch(ask("no.such.Service")).await.unwrap();
    drop(left);
    let mut unknown = client.watch(ask("no.such.Service")).await.unwrap().into_inner();
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    for service in ["", "crm.customers.v1.AccountService"] {
        let mut known = client.watch(ask(service)).await.unwrap().into_inner();
        assert_eq!(known.message().await.unwrap().unwrap().status(), ServingStatus::Serving, "{service}");
    }
    let goes_on = timeout(Duration::from_millis(50), unknown.message()).await;
    assert!(goes_on.is_err(), "{goes_on:?}");
    server.shutdown.cancel();
    assert!(timeout(SOON, unknown.message()).await.expect("ends").unwrap().is_none());
    timeout(SOON, server.done).await.unwrap().unwrap().unwrap();
}

/// Names that reflection lists, and of each the files that describe it, by one of the two versions of the protocol.
macro_rules! described {
    ($server:expr, $version:ident) => {{
        use pb::server_reflection_request::MessageRequest;
        use pb::server_reflection_response::MessageResponse;
        use tonic_reflection::pb::$version as pb;
        let mut client = pb::server_reflection_client::ServerReflectionClient::with_origin(
            $server.channel().await,
            $server.origin(),
        );
        let asked = |request| pb::ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut answers = async |request| {
            let answers = client.server_reflection_info(stream::iter([asked(request)])).await.unwrap();
            answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(listed) = answers(MessageRequest::ListServices(String::new())).await
        else {
            panic!("no list")
        };
        let names: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
        for name in &names {
            let described = answers(MessageRequest::FileContainingSymbol(name.clone())).await;
            let MessageResponse::FileDescriptorResponse(files) = described else { panic!("{name}: {described:?}") };
            for file in files.file_descriptor_proto {
                let file = <prost_types::FileDescriptorProto as prost::Message>::decode(&*file).unwrap();
                for needed in file.dependency {
                    let found = answers(MessageRequest::FileByFilename(needed.clone())).await;
                    assert!(matches!(found, MessageResponse::FileDescriptorResponse(_)), "{needed}: {found:?}");
                }
            }
        }
        names
    }};
}

#[tokio::test]
async fn reflection_lists_health_and_describes_what_it_lists() {
    let layers = StackSettings { faults: true, ..StackSettings::default() };
    let server = Server::with(layers, ServerSettings::default()).await;
    let expected = ["crm.customers.v1.AccountService", "crm.server.v1.FaultService", "grpc.health.v1.Health"];
    assert_eq!(described!(server, v1), expected);
    assert_eq!(described!(server, v1alpha), expected);
}
