//! What the gateway answers itself, without a token: the start page, the API's description and its viewer.

mod archive;
mod description;
mod home;
mod viewer;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crm_transcode::Transcoder;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;

pub(crate) use home::{Home, UpstreamRow};

use crate::{answer, table::Table};

/// Pages that never change while the gateway runs.
pub(crate) struct Pages {
    transcoder: Arc<Transcoder>,
    table: Arc<Table>,
    /// Written when it is asked for the first time: it takes more memory than all else that an idle gateway holds.
    openapi: OnceLock<Bytes>,
}

impl Pages {
    pub(crate) fn new(transcoder: Arc<Transcoder>, table: Arc<Table>) -> Self {
        Self { transcoder, table, openapi: OnceLock::new() }
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
                let mut response = answer::with_type("application/json", self.openapi());
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response
            }
            path => viewer::answer(path.strip_prefix("/docs").unwrap_or_default()),
        }
    }

    fn openapi(&self) -> Bytes {
        let write = || {
            let is_routed = |path: &str| self.table.find(path).is_some();
            description::describe(&self.transcoder, is_routed).to_string().into()
        };
        self.openapi.get_or_init(write).clone()
    }
}
