//! What the gateway answers itself, without a token: the start page, the API's description and its viewer.

mod archive;
mod description;
mod home;
mod viewer;

use std::sync::{Arc, OnceLock};

use crm_server::document::Document;
use crm_transcode::Transcoder;
use http::{HeaderValue, Method, Request, Response, header};
use tonic::body::Body;

pub(crate) use home::{Home, UpstreamRow};

use crate::{answer, switches::Switches, table::Table};

/// Pages that never change while the gateway runs.
pub(crate) struct Pages {
    transcoder: Arc<Transcoder>,
    table: Arc<Table>,
    switches: Arc<Switches>,
    /// Written when it is asked for the first time: it takes more memory than all else that an idle gateway holds.
    openapi: OnceLock<Document>,
}

impl Pages {
    pub(crate) fn new(transcoder: Arc<Transcoder>, table: Arc<Table>, switches: Arc<Switches>) -> Self {
        Self { transcoder, table, switches, openapi: OnceLock::new() }
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
            _ => answer::not_allowed("GET"),
        })
    }

    fn page<B>(&self, request: &Request<B>, home: impl FnOnce() -> Home) -> Response<Body> {
        let asked = request.headers();
        let takes_gzip = self.switches.pack_for(asked);
        match request.uri().path() {
            "/" => home().answer(asked, takes_gzip),
            "/healthz" => answer::text("ok\n"),
            "/openapi.json" => {
                let mut response = self.openapi().answer(asked, takes_gzip);
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response
            }
            path => viewer::answer(path.strip_prefix("/docs").unwrap_or_default(), asked, takes_gzip),
        }
    }

    fn openapi(&self) -> &Document {
        self.openapi.get_or_init(|| {
            let is_routed = |path: &str| self.table.find(path).is_some();
            Document::new("application/json", description::describe(&self.transcoder, is_routed).to_string())
        })
    }
}
