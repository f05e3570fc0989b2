//! Lists and documents in gzip, for who asks; documents once, for who has them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use crm_server::compression;
use http::{Method, StatusCode};
use support::{Rig, wire};

/// A list that is longer than a kilobyte.
fn list() -> String {
    format!("/v1/accounts?filter={}", "x".repeat(3000))
}

async fn ask(rig: &Rig, method: Method, path: &str, lines: &[(&str, &str)]) -> wire::Answer {
    let bearer = format!("Bearer {}", rig.token());
    let headers = [&[("authorization", bearer.as_str())], lines].concat();
    wire::rest(rig.public, method, path, &headers, "").await
}

/// What an answer says, packed or not.
fn plain(answer: &wire::Answer) -> Vec<u8> {
    match answer.header("content-encoding") {
        "gzip" => compression::unpack(&answer.body).unwrap().to_vec(),
        _ => answer.body.to_vec(),
    }
}

#[tokio::test]
async fn lists_are_packed_for_who_asks() {
    let rig = Rig::start().await;
    let whole = ask(&rig, Method::GET, &list(), &[]).await;
    assert_eq!((whole.header("content-encoding"), whole.header("vary")), ("", "accept-encoding"));
    for (lines, packed) in [
        (&[("accept-encoding", "gzip, deflate, br")][..], true),
        (&[("accept-encoding", "br"), ("accept-encoding", "gzip")], true),
        (&[("accept-encoding", "*")], true),
        (&[("accept-encoding", "identity;q=0, gzip")], true),
        (&[("accept-encoding", "gzip;q=0")], false),
        (&[("accept-encoding", "*;q=0")], false),
        (&[("accept-encoding", "identity;q=0")], false),
        (&[("accept-encoding", "gzip;q=0.2, identity;q=0.3")], false),
        (&[("accept-encoding", "br")], false),
    ] {
        let answer = ask(&rig, Method::GET, &list(), lines).await;
        assert_eq!((answer.status, answer.header("vary")), (StatusCode::OK, "accept-encoding"), "{lines:?}");
        assert_eq!(answer.header("content-encoding") == "gzip", packed, "{lines:?}");
        assert_eq!(plain(&answer), whole.body, "{lines:?}");
        assert_eq!(answer.body.len() < whole.body.len() / 5, packed);
        let head = ask(&rig, Method::HEAD, &list(), lines).await;
        for name in ["content-encoding", "content-length", "content-type", "vary"] {
            assert_eq!(head.header(name), answer.header(name), "{lines:?} {name}");
        }
    }
}

#[tokio::test]
async fn what_is_small_or_one_resource_or_a_stream_goes_out_as_it_is() {
    let rig = Rig::start().await;
    let gzip = [("accept-encoding", "gzip")];
    let small = ask(&rig, Method::GET, "/v1/accounts", &gzip).await;
    assert_eq!((small.header("content-encoding"), small.header("vary")), ("", "accept-encoding"));
    let etag = "x".repeat(2000);
    let one = ask(&rig, Method::GET, &format!("/v1/accounts/at-{etag}"), &gzip).await;
    assert_eq!((one.header("etag"), one.header("content-encoding")), (&*format!("\"{etag}\""), ""));
    assert_eq!(one.header("vary"), "");
    let lines = ask(&rig, Method::GET, "/v1/accounts:export?filter=20", &gzip).await;
    assert_eq!((lines.status, lines.header("content-encoding")), (StatusCode::OK, ""));
    assert!(lines.body.len() > 20_000);
}

#[tokio::test]
async fn documents_are_packed_and_sent_once() {
    let rig = Rig::start().await;
    for (path, packs) in [
        ("/openapi.json", true),
        ("/docs", false),
        ("/docs/swagger-ui.css", true),
        ("/docs/swagger-ui-bundle.js", true),
        ("/docs/favicon-32x32.png", false),
        ("/docs/start.js", false),
        ("/", true),
    ] {
        let html = ("accept", "text/html");
        let whole = ask(&rig, Method::GET, path, &[html]).await;
        let gzip = ask(&rig, Method::GET, path, &[html, ("accept-encoding", "gzip")]).await;
        assert_eq!(
            (whole.header("content-encoding"), gzip.header("content-encoding") == "gzip"),
            ("", packs),
            "{path}"
        );
        assert_eq!(plain(&gzip), whole.body, "{path}");
        let tag = whole.header("etag");
        assert!(tag.starts_with("W/\"") && tag == gzip.header("etag"), "{path}: {tag}");
        for known in [tag.to_owned(), tag.replace("W/", ""), "*".to_owned(), format!("\"other\", {tag}")] {
            for method in [Method::GET, Method::HEAD] {
                let kept = ask(&rig, method, path, &[html, ("if-none-match", &known)]).await;
                assert_eq!((kept.status, kept.header("etag")), (StatusCode::NOT_MODIFIED, tag), "{path} {known}");
                assert!(kept.body.is_empty() && kept.header("vary") == "accept-encoding");
                assert_eq!(kept.header("cache-control"), whole.header("cache-control"), "{path}");
            }
        }
        assert_eq!(ask(&rig, Method::GET, path, &[html, ("if-none-match", "\"other\"")]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_switch_ends_it_at_once() {
    let rig = Rig::start().await;
    let gzip = [("accept-encoding", "gzip")];
    for (on, expected) in [("false", ""), ("true", "gzip")] {
        let json = [("content-type", "application/json")];
        let body = format!("{{\"on\":{on}}}");
        wire::rest(rig.control, Method::PUT, "/switches/compression", &json, body).await;
        for path in [&list(), "/openapi.json", "/docs/swagger-ui.css"] {
            let answer = ask(&rig, Method::GET, path, &gzip).await;
            assert_eq!(
                (answer.status, answer.header("content-encoding")),
                (StatusCode::OK, expected),
                "{on} {path:.30}"
            );
        }
    }
}
