//! The start page, for a browser and for a terminal.

use askama::Template;
use crm_server::document::Document;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use tonic::body::Body;
use tracing::error;

use crate::answer;

/// Styles stand in the page; it has no script.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'";

/// What the page says.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) base: String,
    pub(crate) example: &'static str,
    pub(crate) viewer: Option<String>,
    pub(crate) console: Option<String>,
    pub(crate) control: Option<String>,
    pub(crate) metrics: Option<String>,
    pub(crate) upstreams: Vec<UpstreamRow>,
}

/// One line of the table of upstreams.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamRow {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) policy: String,
    pub(crate) ready: usize,
    pub(crate) replicas: usize,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Html<'a>(&'a Home);

#[derive(Template)]
#[template(path = "home.txt")]
struct Text<'a>(&'a Home);

impl Home {
    /// Answers as a page to whoever asks for HTML, and as text to everyone else, `curl` among them.
    pub(crate) fn answer(&self, asked: &HeaderMap, takes_gzip: bool) -> Response<Body> {
        let as_page = accepts_html(asked);
        let rendered = if as_page { Html(self).render() } else { Text(self).render() };
        let body = match rendered {
            Ok(body) => body,
            Err(error) => {
                error!(%error, "cannot render the start page");
                return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let kind = if as_page { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
        let mut response = Document::new(kind, body).answer(asked, takes_gzip);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.append(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with("text/html"))
}
