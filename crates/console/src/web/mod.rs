//! The routes, and what every answer carries.

mod actions;
mod answer;
mod guard;
mod painter;
mod stream;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State, rejection::QueryRejection},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use crm_server::{compression, document::Document, process::routes_service, stack::BoxService};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::painter::Painter;
use crate::{
    config::Config,
    control::Controls,
    page::{Page, Place, Stage},
    room::Room,
    tour,
};

/// Everything comes from here, and nobody may put the page into a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A form's fields are a few words.
const MAX_FORM_BYTES: usize = 4096;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Web {
    config: Arc<Config>,
    controls: Controls,
    room: Room,
    painter: Painter,
    /// For the streams of pages that are open.
    seats: Arc<Semaphore>,
    stopping: CancellationToken,
}

impl Web {
    /// `stopping` ends the streams.
    pub(crate) fn new(config: Config, controls: Controls, room: Room, stopping: CancellationToken) -> Self {
        let config = Arc::new(config);
        let painter = Painter::start(room.clone(), config.trace_base().cloned(), stopping.clone());
        Self { config, controls, room, painter, seats: Arc::new(Semaphore::new(stream::MAX_PAGES)), stopping }
    }
}

/// The whole console as a service.
pub(crate) fn service(web: Web) -> BoxService {
    compression::packing(routes_service(routes(web)))
}

fn routes(web: Web) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/live", get(stream::live))
        .route("/upstreams/{upstream}/policy", post(actions::set_policy))
        .route("/upstreams/{upstream}/replicas/{replica}/fault", post(actions::set_fault))
        .route("/tours/{tour}/break", post(actions::break_tour))
        .route("/tours/{tour}/heal", post(actions::heal_tour))
        .route("/style.css", get(|asked| file(&STYLE, asked)))
        .route("/live.js", get(|asked| file(&SCRIPT, asked)))
        .route("/icon.svg", get(|asked| file(&ICON, asked)))
        .route_layer(middleware::from_fn_with_state(web.clone(), guard::same_site))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::map_response(with_headers))
        .with_state(web)
}

static STYLE: LazyLock<Document> = LazyLock::new(|| {
    let own = include_str!("../../templates/style.css");
    Document::new("text/css; charset=utf-8", format!("{}{own}", crm_chart::STYLE))
});
static SCRIPT: LazyLock<Document> =
    LazyLock::new(|| Document::new("text/javascript; charset=utf-8", include_str!("../../templates/live.js")));
static ICON: LazyLock<Document> =
    LazyLock::new(|| Document::new("image/svg+xml", include_str!("../../templates/icon.svg")));

async fn file(document: &'static Document, asked: HeaderMap) -> Response {
    let response = document.answer(&asked, compression::is_asked_for(&asked));
    ([(header::CACHE_CONTROL, "no-cache")], response.map(axum::body::Body::new)).into_response()
}

async fn with_headers(mut response: Response) -> Response {
    let is_other_media = response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let headers = response.headers_mut();
    if is_other_media {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Where a person is in which tour; what is not understood is as if it were not there.
#[derive(Debug, Default, serde::Deserialize)]
struct Where {
    tour: Option<String>,
    stage: Option<Stage>,
    guess: Option<usize>,
}

impl Where {
    fn place(self) -> Option<Place> {
        let tour = tour::find(self.tour.as_deref()?)?;
        Some(Place { tour, stage: self.stage.unwrap_or(Stage::Predict), guess: self.guess })
    }
}

async fn page(State(web): State<Web>, place: Result<Query<Where>, QueryRejection>) -> Response {
    let place = place.ok().and_then(|Query(place)| place.place());
    let page = Page::new(&web.room.look(), place, web.config.trace_base(), web.config.gateway.as_ref());
    answer::html(&page)
}
