//! `/docs`: Swagger UI, from the archive that its package carries.
//!
//! Nothing is fetched from elsewhere: a page that loads scripts from a stranger's host would show the stranger who
//! reads our API, and would be blank without a network.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tonic::body::Body;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use super::archive::{Asset, find_asset};
use crate::answer;

/// The page around the viewer; it follows the reader's colour scheme.
const PAGE: &str = include_str!("../../templates/docs.html");
/// Starts the viewer, in a file of its own so that the page needs no inline script.
const START: &str = include_str!("../../templates/docs.js");
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
pub(crate) fn answer(path: &str) -> Response<Body> {
    match path {
        "" | "/" => page(),
        "/start.js" => answer::with_type("text/javascript", Bytes::from_static(START.as_bytes())),
        _ => asset(path).unwrap_or_else(missing),
    }
}

fn asset(path: &str) -> Option<Response<Body>> {
    let (_, suffix, kind) = FILES.into_iter().find(|(name, ..)| *name == path)?;
    Some(file(kind, find_asset(ARCHIVE, suffix)?))
}

fn page() -> Response<Body> {
    let mut response = answer::with_type("text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes()));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn file(kind: &'static str, asset: Asset) -> Response<Body> {
    let mut response = answer::with_type(kind, asset.body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    if asset.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn missing() -> Response<Body> {
    let mut response = answer::text("no such page\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
