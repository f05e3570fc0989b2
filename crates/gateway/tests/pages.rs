//! What a newcomer sees without a token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use http::{Method, StatusCode};
use support::{Rig, wire};

async fn page(rig: &Rig, path: &str, accept: &str) -> wire::Answer {
    wire::rest(rig.public, Method::GET, path, &[("accept", accept)], "").await
}

#[tokio::test]
async fn the_start_page_suits_its_reader() {
    let rig = Rig::start_with(1, |config| {
        config.links.viewer = "http://127.0.0.1:16686".parse().ok();
        config.links.console = "http://127.0.0.1:8000/".parse().ok();
    })
    .await;
    let html = page(&rig, "/", "text/html,application/xhtml+xml").await;
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    for part in [
        "/docs",
        "http://127.0.0.1:16686",
        "http://127.0.0.1:8000/",
        "/upstreams",
        "/metrics",
        "crm token",
        "customers",
    ] {
        assert!(html.text().contains(part), "{part}");
    }
    let text = page(&rig, "/", "*/*").await;
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    assert!(text.text().contains("  Live room  http://127.0.0.1:8000/\n"), "{}", text.text());
    assert!(text.text().contains("http://gateway.localhost/docs") && !text.text().contains('<'), "{}", text.text());
}

#[tokio::test]
async fn what_the_caller_calls_the_gateway_is_escaped() {
    let rig = Rig::start().await;
    let page = |host: &str| format!("GET / HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\n\r\n");
    let page = wire::raw(rig.public, page("a&b'c").as_bytes()).await;
    assert!(page.text().contains("a&#38;b&#39;c") && !page.text().contains("a&b'c"), "{}", page.text());
}

#[tokio::test]
async fn the_viewer_brings_all_that_it_needs() {
    let rig = Rig::start().await;
    let docs = page(&rig, "/docs", "text/html").await;
    assert_eq!(docs.status, StatusCode::OK);
    let text = docs.text();
    let linked: Vec<&str> = text.split('"').filter(|part| part.starts_with("/docs/") || part.contains("//")).collect();
    assert!(linked.len() >= 4, "{linked:?}");
    for path in linked {
        assert!(path.starts_with("/docs/"), "nothing comes from elsewhere: {path}");
        let asset = page(&rig, path, "*/*").await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert!(!asset.body.is_empty(), "{path}");
    }
    assert_eq!(page(&rig, "/docs/../Cargo.toml", "*/*").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_description_names_every_route_and_no_other() {
    let rig = Rig::start().await;
    let openapi = page(&rig, "/openapi.json", "*/*").await.json();
    assert_eq!(openapi["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let paths = openapi["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 66, "{:?}", paths.keys().collect::<Vec<_>>());
    assert!(paths["/v1/accounts/{id}"]["get"].is_object());
}

#[tokio::test]
async fn health_and_wrong_methods() {
    let rig = Rig::start().await;
    assert_eq!(page(&rig, "/healthz", "*/*").await.status, StatusCode::OK);
    let wrong = wire::rest(rig.public, Method::DELETE, "/docs", &[], "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"));
    let metrics = wire::rest(rig.admin, Method::GET, "/metrics", &[], "").await;
    assert_eq!(metrics.status, StatusCode::OK);
}
