//! The files of the pages: filled in, compressed, cached, and nothing else readable.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::PathBuf;

use crm_trace_viewer::Config;
use support::{Viewer, http};

/// A folder that looks like the fetched pages; gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn create(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("trace-viewer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("static")).unwrap();
        let index = "<base href=\"/\"> const JAEGER_CONFIG = DEFAULT_CONFIG; JAEGER_VERSION = DEFAULT_VERSION; \
            JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;";
        std::fs::write(folder.join("index.html"), index).unwrap();
        std::fs::write(folder.join("static/app-1.js"), "plain").unwrap();
        std::fs::write(folder.join("static/app-1.js.gz"), "packed").unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn viewer(folder: &Folder) -> Viewer {
    Viewer::start_with(Config { ui_dir: folder.0.clone(), ..Config::default() }).await
}

#[tokio::test]
async fn every_page_is_the_application_with_its_placeholders_filled() {
    let folder = Folder::create("index");
    let viewer = viewer(&folder).await;
    for path in ["/", "/search", "/trace/abc", "/dependencies"] {
        let page = http::get(&viewer.url(path)).await;
        let text = page.text();
        assert_eq!((page.status, &page.headers["cache-control"]), (200, &"no-cache".parse().unwrap()), "{path}");
        assert!(!text.contains("DEFAULT_") && text.contains("\"archiveStorage\":false"), "{text}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn assets_are_cached_for_good_and_packed_for_who_can_unpack() {
    let folder = Folder::create("assets");
    let viewer = viewer(&folder).await;
    let plain = http::get(&viewer.url("/static/app-1.js")).await;
    assert_eq!((plain.status, &*plain.text()), (200, "plain"));
    assert!(plain.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let request = ::http::Request::get(viewer.url("/static/app-1.js")).header("accept-encoding", "br, gzip");
    let packed = http::send(request.body(http_body_util::Full::default()).unwrap()).await;
    assert_eq!((&*packed.text(), &packed.headers["content-encoding"]), ("packed", &"gzip".parse().unwrap()));
    for path in ["/static/none.js", "/static/..%2findex.html", "/static/.hidden.js", "/static/app-1.js.gz", "/static/x"]
    {
        assert_eq!(http::get(&viewer.url(path)).await.status, 404, "{path}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn pages_are_sent_once_and_packed_for_who_asks() {
    let folder = Folder::create("once");
    std::fs::write(folder.0.join("index.html"), "x".repeat(5000)).unwrap();
    let viewer = viewer(&folder).await;
    let ask = async |method: &str, path: &str, name: &str, value: &str| {
        let request = ::http::Request::builder().method(method).uri(viewer.url(path)).header(name, value);
        http::send(request.body(http_body_util::Full::default()).unwrap()).await
    };
    let packed = |answer: &http::Answer| answer.headers.contains_key("content-encoding");
    let page = ask("GET", "/search", "accept-encoding", "gzip").await;
    let head = ask("HEAD", "/search", "accept-encoding", "gzip").await;
    assert!(packed(&page) && packed(&head) && page.body.len() < 500);
    assert_eq!(page.headers["content-length"], head.headers["content-length"]);
    for refused in ["gzip;q=0", "identity", "br"] {
        assert!(!packed(&ask("GET", "/", "accept-encoding", refused).await), "{refused}");
        let asset = ask("GET", "/static/app-1.js", "accept-encoding", refused).await;
        assert_eq!(
            (&*asset.text(), &asset.headers["vary"]),
            ("plain", &"accept-encoding".parse().unwrap()),
            "{refused}"
        );
    }
    let tag = page.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(ask("GET", "/", "if-none-match", &tag).await.status, 304);
    assert_eq!(ask("GET", "/", "if-none-match", "\"other\"").await.status, 200);
    for (method, path, methods) in [
        ("POST", "/search", "GET, HEAD, OPTIONS"),
        ("DELETE", "/", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/services", "GET, HEAD, OPTIONS"),
        ("POST", "/static/app-1.js", "GET, HEAD, OPTIONS"),
    ] {
        let wrong = ask(method, path, "x", "y").await;
        assert_eq!((wrong.status, &wrong.headers["allow"]), (405, &methods.parse().unwrap()), "{method} {path}");
        let options = ask("OPTIONS", path, "x", "y").await;
        assert_eq!((options.status, &options.headers["allow"]), (204, &methods.parse().unwrap()), "{path}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn every_port_keeps_to_http() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let viewer = Viewer::start().await;
    let ports = [viewer.url("/"), format!("http://{}/", viewer.admin)];
    for port in ports.map(|url| url.trim_start_matches("http://").trim_end_matches('/').to_owned()) {
        for (request, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n", "HTTP/1.1 400"),
            ("OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", "HTTP/1.1 204"),
        ] {
            let mut stream = tokio::net::TcpStream::connect(&port).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(std::str::from_utf8(&answer).unwrap(), expected, "{port} {request}");
        }
    }
    viewer.stop().await;
}

#[tokio::test]
async fn without_the_pages_the_api_serves_and_the_front_says_what_to_run() {
    let viewer = Viewer::start_with(Config { ui_dir: "/nonexistent".into(), ..Config::default() }).await;
    let front = http::get(&viewer.url("/")).await;
    assert_eq!(front.status, 503);
    assert!(front.text().contains("crates/trace-viewer/ui/fetch"));
    assert_eq!(viewer.data("/api/services").await, serde_json::json!([]));
    viewer.stop().await;
}

#[tokio::test]
async fn admin_port_tells_life_readiness_and_counts() {
    let viewer = Viewer::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http::get(&format!("http://{}{path}", viewer.admin)).await.status, 200);
    }
    assert_eq!(viewer.metric("crm_viewer_spans").await, 0.0);
    assert!(viewer.metric("process_resident_memory_bytes").await > 1e6);
    viewer.stop().await;
}
