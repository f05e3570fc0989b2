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
