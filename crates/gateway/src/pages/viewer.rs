//! `/docs`: Swagger UI, from the archive that its package carries.
//!
//! Nothing is fetched from elsewhere: a page that loads scripts from a stranger's host would show the stranger who
//! reads our API, and would be blank without a network.

use std::sync::LazyLock;

use crm_server::{
    compression,
    document::{self, Document},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use tonic::body::Body;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use super::archive::{Asset, find_asset};
use crate::answer;

/// The page around the viewer; it follows the reader's colour scheme.
static PAGE: LazyLock<Document> =
    LazyLock::new(|| Document::new("text/html; charset=utf-8", include_str!("../../templates/docs.html")));
/// Starts the viewer, in a file of its own so that the page needs no inline script.
static START: LazyLock<Document> =
    LazyLock::new(|| Document::new("text/javascript", include_str!("../../templates/docs.js")));
/// Scripts and data of our own origin only; the viewer writes styles into elements and shows icons from data URLs.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

static ARCHIVE: &[u8] = SWAGGER_UI_VENDORED;

/// The archive's files that the page asks for: path, suffix in the archive, type.
const FILES: [(&str, &str, &str); 3] = [
    ("/swagger-ui.css", "/dist/swagger-ui.css", "text/css"),
    ("/swagger-ui-bundle.js", "/dist/swagger-ui-bundle.js", "text/javascript"),
    ("/favicon-32x32.png", "/dist/favicon-32x32.png", "image/png"),
];

/// Answers for what follows `/docs` in the path.
///
/// Assets are looked up anew each time: browsers keep them, and so nobody else has to.
pub(crate) fn answer(path: &str, asked: &HeaderMap, takes_gzip: bool) -> Response<Body> {
    match path {
        "" | "/" => page(asked, takes_gzip),
        "/start.js" => START.answer(asked, takes_gzip),
        _ => asset(path, asked, takes_gzip).unwrap_or_else(missing),
    }
}

fn asset(path: &str, asked: &HeaderMap, takes_gzip: bool) -> Option<Response<Body>> {
    let (_, suffix, kind) = FILES.into_iter().find(|(name, ..)| *name == path)?;
    let mut response = file(kind, find_asset(ARCHIVE, suffix)?, asked, takes_gzip)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Some(response)
}

fn page(asked: &HeaderMap, takes_gzip: bool) -> Response<Body> {
    let mut response = PAGE.answer(asked, takes_gzip);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn file(kind: &'static str, asset: Asset, asked: &HeaderMap, takes_gzip: bool) -> Option<Response<Body>> {
    if document::is_known(asked, &asset.tag) {
        return Some(document::not_modified(&asset.tag));
    }
    let is_packed = asset.gzip && takes_gzip;
    let body = if asset.gzip && !takes_gzip { compression::unpack(&asset.body)? } else { asset.body };
    Some(document::whole(kind, &asset.tag, body, is_packed))
}

fn missing() -> Response<Body> {
    let mut response = answer::text("no such page\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
