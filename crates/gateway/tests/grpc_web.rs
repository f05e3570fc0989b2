//! gRPC-Web through the gateway, over HTTP/1.1 and HTTP/2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use crm_proto::customers as pb;
use crm_server::token::Role;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use support::{
    Rig, eventually, web,
    wire::{self, Answer, Grpc},
};

const GET: &str = "/crm.customers.v1.AccountService/GetAccount";
const EXPORT: &str = "/crm.customers.v1.AccountService/ExportAccounts";
const BINARY: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text+proto";

fn get(id: &str) -> Bytes {
    web::body(&pb::GetAccountRequest { id: id.into() })
}

fn export(filter: &str) -> Bytes {
    web::body(&pb::ExportAccountsRequest { filter: filter.into(), ..Default::default() })
}

/// A call with a token, over either version of HTTP.
async fn call(rig: &Rig, version: u8, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let bearer = format!("Bearer {}", rig.token());
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    match version {
        1 => wire::rest(rig.public, Method::POST, path, &headers, body).await,
        _ => Grpc::connect(rig.public).await.send(Method::POST, path, &headers, body).await,
    }
}

fn is_trace_named(answer: &Answer) -> bool {
    answer.headers.get("grpc-status").is_none() && answer.status == StatusCode::OK
}

#[tokio::test]
async fn a_message_and_its_trailers_come_in_one_body() {
    let rig = Rig::start().await;
    for version in [1, 2] {
        for kind in [BINARY, "application/grpc-web", "Application/GRPC-Web+Proto;charset=utf-8"] {
            let answer = call(&rig, version, GET, &[("content-type", kind), ("x-grpc-web", "1")], get("7")).await;
            assert!(is_trace_named(&answer), "{answer:?}");
            assert_eq!(answer.header("content-type"), BINARY);
            let (accounts, trailers) = web::read(&answer.body);
            assert_eq!((accounts, trailers.as_str()), (vec![support::fake::account("7")], "grpc-status: 0\r\n"));
        }
    }
}

#[tokio::test]
async fn text_is_base64_in_pieces_both_ways() {
    let rig = Rig::start().await;
    for version in [1, 2] {
        for piece in [1, 2, 3, 100] {
            let body = web::text(&get("7"), piece);
            let answer = call(&rig, version, GET, &[("content-type", TEXT), ("accept", TEXT)], body).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, TEXT));
            let (accounts, trailers) = web::read(&web::bytes(&answer.body));
            assert_eq!((accounts, trailers.as_str()), (vec![support::fake::account("7")], "grpc-status: 0\r\n"));
        }
    }
    // Who asks for the one form may send the other.
    let asked = [("content-type", BINARY), ("accept", "application/grpc-web-text")];
    let answer = call(&rig, 1, GET, &asked, get("7")).await;
    assert_eq!(web::read::<pb::Account>(&web::bytes(&answer.body)).0[0].id, "7");
    let asked = [("content-type", TEXT), ("accept", BINARY)];
    let answer = call(&rig, 1, GET, &asked, web::text(&get("7"), 9)).await;
    assert_eq!(web::read::<pb::Account>(&answer.body).0[0].id, "7");
}

#[tokio::test]
async fn streams_end_with_their_status_in_the_body() {
    let rig = Rig::start().await;
    for (kind, version) in [(BINARY, 1), (BINARY, 2), (TEXT, 1)] {
        let send = async |filter: &str| {
            let body = if kind == TEXT { web::text(&export(filter), 100).into() } else { export(filter) };
            let answer = call(&rig, version, EXPORT, &[("content-type", kind)], body).await;
            let bytes = if kind == TEXT { web::bytes(&answer.body) } else { answer.body.to_vec() };
            web::read::<pb::Account>(&bytes)
        };
        let (accounts, trailers) = send("300").await;
        assert_eq!((accounts.len(), trailers.as_str()), (300, "grpc-status: 0\r\n"));
        assert!(accounts.iter().enumerate().all(|(at, account)| account.id == at.to_string()));
        let (accounts, trailers) = send("breaks").await;
        assert_eq!(accounts.len(), 2);
        assert!(trailers.contains("grpc-status: 10\r\n") && trailers.contains("grpc-message: "), "{trailers}");
        let details = trailers.lines().find_map(|line| line.strip_prefix("grpc-status-details-bin: ")).unwrap();
        let details = web::bytes(format!("{details}{}", "=".repeat((4 - details.len() % 4) % 4)).as_bytes());
        assert_eq!(web::reason(&details), "BROKEN_OFF");
    }
}

#[tokio::test]
async fn a_message_goes_out_before_the_next_has_come() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let mut connection = wire::http1_connection(rig.public).await;
    let headers = [("authorization", bearer.as_str()), ("content-type", TEXT)];
    let body = web::text(&export("silent"), 100);
    let mut answer = wire::start_on(&mut connection, Method::POST, EXPORT, &headers, body).await.into_body();
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(web::bytes(&first).len() > 1000, "{first:?}");
    drop((answer, connection));
    eventually("who leaves ends the stream", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn errors_before_a_message_are_headers() {
    let rig = Rig::start().await;
    let stranger = wire::rest(rig.public, Method::POST, GET, &[("content-type", BINARY)], get("7")).await;
    assert_eq!((stranger.status, stranger.header("content-type")), (StatusCode::OK, BINARY));
    assert_eq!(web::refusal(&stranger), ("16".into(), "TOKEN_MISSING".into()));
    let check = async |path: &str, headers: &[(&str, &str)], body: Bytes, code: &str, reason: &str| {
        for version in [1, 2] {
            let headers = [&[("content-type", TEXT)], headers].concat();
            let answer = call(&rig, version, path, &headers, web::text(&body, 30)).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, TEXT), "{reason}");
            assert_eq!(web::refusal(&answer), (code.to_owned(), reason.to_owned()));
        }
    };
    check(GET, &[], get("missing"), "5", "ACCOUNT_NOT_FOUND").await;
    check(EXPORT, &[], export("refused"), "3", "INVALID_FILTER").await;
    let late = call(&rig, 1, GET, &[("content-type", BINARY), ("grpc-timeout", "80m")], get("hang")).await;
    assert_eq!((web::refusal(&late).0.as_str(), late.header("x-crm-timeout")), ("4", "80ms"));
    check("/crm.nope.v1.NopeService/Nope", &[], get("7"), "12", "SERVICE_NOT_ROUTED").await;
    check(GET, &[("content-encoding", "gzip")], get("7"), "12", "COMPRESSION_UNSUPPORTED").await;
    check(GET, &[("x-crm-a", "1"), ("x-crm-a", "2")], get("7"), "3", "CONFLICTING_VALUE").await;
    let large = "x".repeat(40_000);
    let answer = call(&rig, 1, GET, &[("content-type", BINARY), ("x-large", &large)], get("7")).await;
    assert_eq!(web::refusal(&answer).1, "HEADERS_TOO_LARGE");
    let answer = call(&rig, 1, GET, &[("content-type", BINARY)], get(&"x".repeat(5 << 20))).await;
    assert_eq!(web::refusal(&answer).1, "MESSAGE_TOO_LARGE");
    let answer = call(&rig, 1, GET, &[("content-type", TEXT)], "AAAA!").await;
    assert_eq!(web::refusal(&answer), ("3".into(), "MESSAGE_MALFORMED".into()));
}

#[tokio::test]
async fn what_is_not_spoken_is_told_with_what_is() {
    let rig = Rig::start().await;
    for other in ["application/grpc-web+json", "application/grpc-web-text+thrift", "application/grpc-webs"] {
        let answer = call(&rig, 1, GET, &[("content-type", other)], get("7")).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{other}");
        assert!(answer.header("accept-post").contains("application/grpc-web-text+proto"), "{answer:?}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = wire::rest(rig.public, method, GET, &[("content-type", BINARY)], "").await;
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "OPTIONS, POST"));
    }
    assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn calls_have_the_places_and_the_rights_that_they_have_over_grpc() {
    let rig = Rig::start_with(1, |config| config.calls.max_concurrent_calls = 1).await;
    let viewer = format!("Bearer {}", rig.token_of(Role::Viewer, Duration::from_secs(60)));
    let update = web::body(&pb::UpdateAccountRequest::default());
    let path = "/crm.customers.v1.AccountService/UpdateAccount";
    let headers = [("authorization", viewer.as_str()), ("content-type", BINARY)];
    let refused = wire::rest(rig.public, Method::POST, path, &headers, update).await;
    assert_eq!(web::refusal(&refused), ("7".into(), "ROLE_READ_ONLY".into()));

    let bearer = format!("Bearer {}", rig.token());
    let mut connection = wire::http1_connection(rig.public).await;
    let headers = [("authorization", bearer.as_str()), ("content-type", BINARY)];
    let hanging = tokio::spawn({
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            wire::start_on(&mut connection, Method::POST, GET, &headers, get("hang")).await
        }
    });
    eventually("the call has arrived", async || rig.seen().running.load(Ordering::SeqCst) == 1).await;
    let refused = call(&rig, 1, GET, &[("content-type", BINARY)], get("7")).await;
    assert_eq!(web::refusal(&refused), ("8".into(), "OVERLOADED".into()));
    hanging.abort();
    let answers = async || call(&rig, 1, GET, &[("content-type", BINARY)], get("7")).await.body.len() > 5;
    eventually("the place is free", answers).await;
}

#[tokio::test]
async fn health_and_metadata_pass() {
    let rig = Rig::start().await;
    let path = "/grpc.health.v1.Health/Check";
    let answer = wire::rest(rig.public, Method::POST, path, &[("content-type", BINARY)], vec![0; 5]).await;
    let (answers, trailers) = web::read::<tonic_health::pb::HealthCheckResponse>(&answer.body);
    assert_eq!((answers[0].status, trailers.as_str()), (1, "grpc-status: 0\r\n"));
    let asked = [("content-type", BINARY), (support::echo::ASKED, "1")];
    let answer = call(&rig, 1, GET, &asked, get("7")).await;
    let (accounts, trailers) = web::read::<pb::Account>(&answer.body);
    assert_eq!((accounts[0].id.as_str(), answer.header("x-head")), ("7", "1"));
    assert!(trailers.contains("x-cost: 237\r\n") && trailers.contains("x-echo-bin: AAEC\r\n"), "{trailers}");
    // What a browser says of itself and of the body is not for the service.
    let names = [("content-type", BINARY), ("accept", "*/*"), ("accept-encoding", "gzip, br"), ("x-mine", "1")];
    let answer = call(&rig, 1, GET, &names, get("names")).await;
    let seen = web::read::<pb::Account>(&answer.body).0.remove(0).name;
    assert!(seen.contains("x-mine") && !seen.contains("accept,") && !seen.contains("host"), "{seen}");
    assert!(!seen.contains(",accept-encoding"), "{seen}");
}
