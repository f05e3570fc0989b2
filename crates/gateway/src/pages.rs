//! What the gateway answers itself, without a token: the start page, the API's description and its viewer.

mod archive;
mod description;
mod home;
mod viewer;

use bytes::Bytes;
use crm_transcode::Transcoder;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;

pub(crate) use home::{Home, UpstreamRow};

use crate::answer;

/// What is known at the start, and never changes after it.
pub(crate) struct Pages {
    openapi: Bytes,
}

impl Pages {
    /// `is_routed` is asked with the paths of RPCs.
    pub(crate) fn new(transcoder: &Transcoder, is_routed: impl Fn(&str) -> bool) -> Self {
        let openapi = description::describe(transcoder, is_routed);
        Self { openapi: openapi.to_string().into() }
    }

    /// Answers if the path is one of these pages; `home` is asked for the start page only.
    pub(crate) fn answer<B>(&self, request: &Request<B>, home: impl FnOnce() -> Home) -> Option<Response<Body>> {
        let path = request.uri().path();
        let is_page = matches!(path, "/" | "/healthz" | "/openapi.json" | "/docs") || path.starts_with("/docs/");
        if !is_page {
            return None;
        }
        Some(match *request.method() {
            Method::GET | Method::HEAD => self.page(request, home),
            Method::OPTIONS => answer::allow(StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"),
            _ => answer::allow(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"),
        })
    }

    fn page<B>(&self, request: &Request<B>, home: impl FnOnce() -> Home) -> Response<Body> {
        match request.uri().path() {
            "/" => home().answer(request.headers()),
            "/healthz" => answer::text("ok\n"),
            "/openapi.json" => {
                let mut response = answer::with_type("application/json", self.openapi.clone());
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response
            }
            path => viewer::answer(path.strip_prefix("/docs").unwrap_or_default()),
        }
    }
}
