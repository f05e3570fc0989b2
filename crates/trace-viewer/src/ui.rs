//! Jaeger UI's files, read from the folder that `ui/fetch` fills, as Jaeger's own query service serves them.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{self, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crm_server::{compression, document::Document};

use crate::app::App;

/// Placeholders of `index.html` and what Jaeger's query service would put there. The monitor page needs metrics and the
/// archive needs a second store, which are not here.
const PLACEHOLDERS: [(&str, &str); 3] = [
    (
        "JAEGER_CONFIG = DEFAULT_CONFIG;",
        r#"JAEGER_CONFIG = {"archiveEnabled":false,"dependencies":{"menuEnabled":true},"monitor":{"menuEnabled":false}};"#,
    ),
    (
        "JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;",
        r#"JAEGER_STORAGE_CAPABILITIES = {"archiveStorage":false};"#,
    ),
    (
        "JAEGER_VERSION = DEFAULT_VERSION;",
        r#"JAEGER_VERSION = {"gitCommit":"","gitVersion":"v2.14.1","buildDate":""};"#,
    ),
];

/// File names below `static` carry a hash of their content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Files below `/static`; every other path is a page of the application.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new().route("/static/{file}", get(asset)).route("/", get(page)).route("/{*page}", get(page)).with_state(app)
}

async fn page(State(app): State<Arc<App>>, asked: HeaderMap) -> Response {
    match tokio::fs::read_to_string(app.config.ui_dir.join("index.html")).await {
        Ok(template) => {
            let page = Document::new("text/html; charset=utf-8", fill(template));
            let page = page.answer(&asked, compression::is_asked_for(&asked)).map(Body::new);
            ([(header::CACHE_CONTROL, "no-cache")], page).into_response()
        }
        Err(error) => without_ui(&app.config.ui_dir, &error),
    }
}

fn fill(template: String) -> String {
    PLACEHOLDERS.iter().fold(template, |page, (placeholder, value)| page.replace(placeholder, value))
}

fn without_ui(folder: &Path, error: &std::io::Error) -> Response {
    tracing::warn!(folder = %folder.display(), %error, "the pages are not there");
    let page = "<!doctype html><title>Trace viewer</title><h1>The pages are not here yet</h1>\
        <p>Run <code>crates/trace-viewer/ui/fetch</code> in the project's folder, then load this page again.</p>\
        <p>Traces are being received, and the API answers: <a href=\"/api/services\">/api/services</a>.</p>\n";
    (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response()
}

async fn asset(
    State(app): State<Arc<App>>,
    extract::Path(file): extract::Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(kind) = content_type(&file).filter(|_| is_plain_name(&file)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let folder = app.config.ui_dir.join("static");
    let head = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOREVER), (header::VARY, "accept-encoding")];
    if compression::is_asked_for(&headers)
        && let Ok(packed) = tokio::fs::read(folder.join(format!("{file}.gz"))).await
    {
        return (head, [(header::CONTENT_ENCODING, "gzip")], packed).into_response();
    }
    match tokio::fs::read(folder.join(&file)).await {
        Ok(plain) => (head, plain).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// No folders, no hidden files: a path can only name what lies in `static` itself.
fn is_plain_name(file: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !file.starts_with('.') && file.bytes().all(is_plain)
}

fn content_type(file: &str) -> Option<&'static str> {
    Some(match file.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
