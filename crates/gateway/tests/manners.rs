//! HTTP as RFC 9110 and 9112 have it, on every port: bytes that client libraries would not send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{Rig, wire};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// A request of a method and path with these lines of the head, and this behind it.
fn request(line: &str, head: &[&str], rest: &str) -> Vec<u8> {
    let lines: String = head.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{line}\r\n{lines}\r\n{rest}").into_bytes()
}

#[tokio::test]
async fn a_request_names_one_host() {
    let rig = Rig::start().await;
    for port in [rig.public, rig.control, rig.admin] {
        for (line, hosts, expected) in [
            ("GET / HTTP/1.1", &[][..], 400),
            ("GET / HTTP/1.1", &["host: localhost", "host: localhost"], 400),
            ("GET / HTTP/1.1", &["host: localhost", "Host: evil.example"], 400),
            ("GET / HTTP/1.1", &["host: a b"], 400),
            ("GET / HTTP/1.1", &["host:"], 400),
            ("GET http://localhost/ HTTP/1.1", &[], 400),
            ("GET http://localhost/ HTTP/1.1", &["host: other"], 0),
            ("GET / HTTP/1.0", &[], 0),
            ("GET / HTTP/1.1", &["host: localhost"], 0),
        ] {
            let answer = wire::raw(port, &request(line, hosts, "")).await;
            assert_eq!(answer.status == 400, expected == 400, "{line} {hosts:?}: {}", answer.text());
            if expected == 400 {
                assert_eq!((answer.reason().as_str(), answer.json()["code"].as_i64()), ("HOST_INVALID", Some(3)));
                assert_eq!(answer.header("content-type"), "application/json");
            }
        }
    }
}

#[tokio::test]
async fn over_http2_the_header_names_no_other_host_than_the_address() {
    let rig = Rig::start().await;
    for (host, expected) in [(None, 200), (Some(rig.public.to_string()), 200), (Some("evil.example".to_owned()), 400)] {
        let stream = TcpStream::connect(rig.public).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut asked = Request::get(format!("http://{}/healthz", rig.public));
        if let Some(host) = &host {
            asked = asked.header("host", host);
        }
        let answer = sender.send_request(asked.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected, "{host:?}");
        assert_eq!(answer.headers().get("connection"), None);
        let head = Request::head(format!("http://{}/openapi.json", rig.public)).body(Full::default()).unwrap();
        let head = sender.send_request(head).await.unwrap();
        let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert!(length > 10_000 && head.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn options_tell_what_there_is() {
    let rig = Rig::start().await;
    for port in [rig.public, rig.control, rig.admin] {
        let all = wire::raw(port, &request("OPTIONS * HTTP/1.1", &["host: localhost"], "")).await;
        assert_eq!(
            (all.status, all.header("allow")),
            (StatusCode::NO_CONTENT, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
        );
    }
    for (port, path, methods) in [
        (rig.public, "/", "GET, HEAD, OPTIONS"),
        (rig.public, "/openapi.json", "GET, HEAD, OPTIONS"),
        (rig.public, "/docs/start.js", "GET, HEAD, OPTIONS"),
        (rig.public, "/healthz", "GET, HEAD, OPTIONS"),
        (rig.public, "/v1/accounts", "GET, HEAD, OPTIONS, POST"),
        (rig.public, "/v1/accounts/7", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        (rig.public, "/v1/accounts/7:undelete", "OPTIONS, POST"),
        (rig.public, "/v1/accounts:batchGet", "GET, HEAD, OPTIONS"),
        (rig.admin, "/metrics", "GET, HEAD, OPTIONS"),
        (rig.control, "/events", "GET, HEAD, OPTIONS"),
    ] {
        let options = wire::rest(port, Method::OPTIONS, path, &[], "").await;
        assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, methods), "{path}");
        assert!(options.body.is_empty());
        let wrong = wire::rest(port, Method::from_bytes(b"BREW").unwrap(), path, &[], "").await;
        assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, methods), "{path}");
    }
    let nowhere = wire::rest(rig.public, Method::OPTIONS, "/v1/nothing", &[], "").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn methods_of_services_that_are_not_routed_are_not_named() {
    let rig = Rig::start_with(1, |config| {
        let routes = config.routes.0[0].clone();
        config.routes.0 = vec![crm_gateway::Route { key: "crm.customers.v1.AccountService".into(), ..routes }];
    })
    .await;
    for method in [Method::GET, Method::PUT, Method::OPTIONS] {
        assert_eq!(rig.rest(method.clone(), "/v1/contacts/7", "").await.status, StatusCode::NOT_FOUND, "{method}");
    }
    assert_eq!(rig.rest(Method::PUT, "/v1/accounts/7", "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// A POST of an account with these lines of the head.
async fn post(rig: &Rig, lines: &[&str], body: &str) -> wire::Answer {
    let bearer = format!("authorization: Bearer {}", rig.token());
    let head = [&["host: localhost", &bearer], lines].concat();
    let line = "POST /v1/accounts?requestId=01890a5d-ac96-774b-bcce-b302099a8057 HTTP/1.1";
    wire::raw(rig.public, &request(line, &head, body)).await
}

#[tokio::test]
async fn a_broken_body_is_the_callers_fault_and_is_told_in_json() {
    let rig = Rig::start().await;
    let chunked = "transfer-encoding: chunked";
    let extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(20_000));
    for body in
        ["g\r\n{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n", "2\n{}\r\n", "ffffffffffffffffff\r\n", "-2\r\n{}\r\n", &extension]
    {
        let answer = post(&rig, &[chunked], body).await;
        assert_eq!(answer.status, 400, "{body:.20}: {}", answer.text());
        assert_eq!((answer.reason().as_str(), answer.json()["code"].as_i64()), ("BODY_BROKEN", Some(3)), "{body:.20}");
        assert_eq!(answer.header("connection"), "close", "{body:.20}");
    }
    assert_eq!(post(&rig, &[chunked], "2;note=\"it\"\r\n{}\r\n0\r\n\r\n").await.status, 200);
    // What follows is read as a body by one of two, and as a request by the other.
    let both = post(&rig, &[chunked, "content-length: 2"], "2\r\n{}\r\n0\r\n\r\n").await;
    assert_eq!((both.status.as_u16(), both.header("connection")), (200, "close"));
    for lines in [
        &["content-length: 2", "content-length: 3"][..],
        &["content-length: -2"],
        &["content-length: 2, 3"],
        &["transfer-encoding: gzip"],
    ] {
        let answer = post(&rig, lines, "{} ").await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (400, "close"), "{lines:?}");
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_refused_and_not_done() {
    let rig = Rig::start().await;
    let bearer = format!("authorization: Bearer {}", rig.token());
    let head = ["host: localhost", &bearer, "content-length: 9"];
    let mut stream = TcpStream::connect(rig.public).await.unwrap();
    stream.write_all(&request("POST /v1/accounts HTTP/1.1", &head, "{}")).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = wire::raw_on(&mut stream, b"").await;
    assert_eq!((answer.status.as_u16(), answer.reason().as_str()), (400, "BODY_BROKEN"), "{}", answer.text());
    assert_eq!(rig.seen().calls.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refusal_before_the_body_has_come_ends_the_connection() {
    let rig = Rig::start().await;
    let line = "POST /v1/accounts HTTP/1.1";
    let json = "content-type: application/json";
    for (port, line) in [
        (rig.public, line),
        (rig.public, "POST /v1/nothing HTTP/1.1"),
        (rig.public, "POST /healthz HTTP/1.1"),
        (rig.control, "PUT /nothing HTTP/1.1"),
        (rig.admin, "POST /metrics HTTP/1.1"),
    ] {
        let begun = wire::raw(port, &request(line, &["host: localhost", json, "content-length: 100"], "{")).await;
        assert!(begun.status.is_client_error(), "{line}");
        assert_eq!(begun.header("connection"), "close", "{line}");
        // All of it is there: nothing has to be waited for, and the next request can be read.
        let mut stream = TcpStream::connect(port).await.unwrap();
        let whole = request(line, &["host: localhost", json, "content-length: 2"], "{}");
        for _ in 0..3 {
            let refused = wire::raw_on(&mut stream, &whole).await;
            assert_eq!((refused.status, refused.header("connection")), (begun.status, ""), "{line}");
        }
    }
    let chunks = request(line, &["host: localhost", "transfer-encoding: chunked"], "1\r\n{\r\n");
    let asked = request(line, &["host: localhost", "expect: 100-continue", "content-length: 2"], "");
    for begun in [chunks, asked] {
        let refused = wire::raw(rig.public, &begun).await;
        assert_eq!((refused.status.as_u16(), refused.header("connection")), (401, "close"));
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_asked_for() {
    let rig = Rig::start().await;
    let bearer = format!("authorization: Bearer {}", rig.token());
    let json = "content-type: application/json";
    for path in ["/v1/accounts", "/crm.customers.v1.AccountService/ListAccounts"] {
        for expect in ["expect: 100-continue", "accept: */*"] {
            let headers = ["host: localhost", &bearer, json, expect, "content-length: 99999999"];
            let refused = wire::raw(rig.public, &request(&format!("POST {path} HTTP/1.1"), &headers, "")).await;
            assert_eq!((refused.status.as_u16(), refused.header("connection")), (413, "close"), "{path} {expect}");
        }
    }
}

#[tokio::test]
async fn who_sends_all_before_it_reads_finds_its_refusal() {
    let rig = Rig::start_with(1, |config| config.calls.max_body_bytes = 1000).await;
    let bearer = format!("authorization: Bearer {}", rig.token());
    // More than lies in any socket's buffers.
    let (length, body) = (format!("content-length: {}", 16 << 20), " ".repeat(16 << 20));
    let mut stream = TcpStream::connect(rig.public).await.unwrap();
    let large = request("POST /v1/accounts HTTP/1.1", &["host: localhost", &bearer, &length], &body);
    let answer = wire::raw_on(&mut stream, &large).await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (413, "close"));
}

#[tokio::test]
async fn a_refusal_of_what_was_read_keeps_the_connection() {
    let rig = Rig::start().await;
    let mut stream = TcpStream::connect(rig.public).await.unwrap();
    let bearer = format!("authorization: Bearer {}", rig.token());
    for (body, status) in [("{", 400), ("{\"nothing\":1}", 400), ("{}", 200)] {
        let length = format!("content-length: {}", body.len());
        let line = "POST /v1/accounts?requestId=01890a5d-ac96-774b-bcce-b302099a8057 HTTP/1.1";
        let answer = wire::raw_on(&mut stream, &request(line, &["host: localhost", &bearer, &length], body)).await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (status, ""), "{body}");
    }
}

#[tokio::test]
async fn a_body_is_json_or_says_nothing() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let send = async |method: Method, path: &str, lines: &[(&str, &str)], body: &str| {
        let headers = [&[("authorization", bearer.as_str())], lines].concat();
        wire::rest(rig.public, method, path, &headers, body.to_owned()).await
    };
    let create = "/v1/accounts?requestId=01890a5d-ac96-774b-bcce-b302099a8057";
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/merge-patch+json",
        "application/json; charset=utf-16",
        "application/xml",
        "",
    ] {
        for (method, path, taken) in
            [(Method::POST, create, "accept-post"), (Method::PATCH, "/v1/accounts/7", "accept-patch")]
        {
            let refused = send(method, path, &[("content-type", kind)], "{}").await;
            assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
            assert_eq!((refused.header("accept"), refused.header(taken)), ("application/json", "application/json"));
            assert_eq!(refused.reason(), "INVALID_HEADER");
            assert!(refused.text().contains("application/json, in utf-8"), "{}", refused.text());
        }
    }
    for lines in
        [&[][..], &[("content-type", "application/json")], &[("content-type", "APPLICATION/JSON; charset=\"UTF-8\"")]]
    {
        assert_eq!(send(Method::POST, create, lines, "{}").await.status, StatusCode::OK, "{lines:?}");
    }
    // Where there is no body, none is described.
    let form = [("content-type", "text/plain")];
    assert_eq!(send(Method::GET, "/v1/accounts/7", &form, "").await.status, StatusCode::OK);
    assert_eq!(send(Method::DELETE, "/v1/accounts/7", &form, "").await.status, StatusCode::OK);
    assert_eq!(send(Method::PATCH, "/v1/accounts/7", &form, "").await.status, StatusCode::OK);
    assert_eq!(send(Method::GET, "/v1/accounts/7", &form, "x").await.status, StatusCode::BAD_REQUEST, "takes none");
    let stranger = wire::rest(rig.public, Method::POST, create, &form, "{}").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "strangers learn nothing else");
}

#[tokio::test]
async fn a_packed_body_is_refused_with_what_is_taken() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    for (encoding, expected) in [("gzip", 415), ("identity, gzip", 415), ("br", 415), ("Identity", 200)] {
        let headers = [("authorization", bearer.as_str()), ("content-encoding", encoding)];
        let answer = wire::rest(rig.public, Method::PATCH, "/v1/accounts/7", &headers, "{}").await;
        assert_eq!(answer.status, expected, "{encoding}: {}", answer.text());
        assert_eq!(answer.header("accept-encoding"), if expected == 415 { "identity" } else { "" }, "{encoding}");
    }
}
