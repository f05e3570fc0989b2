//! The live room as HTTP has it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use http::Method;
use support::Room;

#[tokio::test]
async fn a_page_of_a_foreign_name_reads_nothing() {
    let room = Room::open().await;
    for path in ["/", "/live", "/style.css", "/live.js", "/?tour=slow-replica"] {
        let foreign = room.send(Method::GET, path, &[("host", "evil.example:8000")], "").await;
        assert_eq!(foreign.status(), 403, "{path}");
        let ours = room.send(Method::GET, path, &[("host", "localhost:8000")], "").await;
        assert_eq!(ours.status(), 200, "{path}");
        let linked = [("host", "localhost:8000"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(room.send(Method::GET, path, &linked, "").await.status(), 200, "{path}: a link from elsewhere");
    }
    room.close().await;
}

#[tokio::test]
async fn a_form_is_a_form() {
    let room = Room::open().await;
    let json = [("content-type", "application/json")];
    let refused = room.send_as(Method::POST, "/upstreams/customers/policy", &json, r#"{"policy":"random"}"#).await;
    let taken = refused.headers().get("accept").and_then(|taken| taken.to_str().ok());
    assert_eq!((refused.status().as_u16(), taken), (415, Some("application/x-www-form-urlencoded")));
    assert!(room.gateway.told().is_empty());
    room.close().await;
}

#[tokio::test]
async fn pages_are_packed_for_who_asks_and_files_are_sent_once() {
    let room = Room::open().await;
    for (path, packs) in [("/", true), ("/style.css", true), ("/live.js", true), ("/icon.svg", false), ("/live", false)]
    {
        for (asked, expected) in [("gzip", packs), ("gzip;q=0", false)] {
            let lines = [("accept-encoding", asked)];
            let answer = room.send(Method::GET, path, &lines, "").await;
            assert_eq!(answer.headers().contains_key("content-encoding"), expected, "{path} {asked}");
            if path == "/" || path == "/live" {
                continue;
            }
            let head = room.send(Method::HEAD, path, &lines, "").await;
            for name in ["content-encoding", "content-length", "etag", "vary"] {
                assert_eq!(head.headers().get(name), answer.headers().get(name), "{path} {asked} {name}");
            }
            let tag = answer.headers()["etag"].to_str().unwrap();
            assert_eq!(room.send(Method::GET, path, &[("if-none-match", tag)], "").await.status(), 304, "{path}");
        }
    }
    room.close().await;
}
