//! The control API: what the balancer sees and does, and the switches that change it while calls run.
//!
//! It is meant for the machine that the gateway runs on and asks for no token, so it listens on the loopback address
//! unless its configuration says otherwise, and answers to no name that a foreign web page can have. Every answer is
//! JSON; errors are those of the public API.

mod change;
mod events;
mod host;
mod injection;
mod refusal;
mod switch;
mod upstream;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, put},
};
use crm_server::process::{ServerSettings, serve_routes};
use crm_transcode::Transcoder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    faults::Faults,
    gateway::{Gateway, PageLinks},
    switches::Switches,
    table::Table,
};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Control {
    table: Arc<Table>,
    switches: Arc<Switches>,
    faults: Arc<Faults>,
    transcoder: Arc<Transcoder>,
    links: PageLinks,
    stopping: CancellationToken,
}

impl Control {
    /// `stopping` ends the streams of events.
    pub(crate) fn new(gateway: &Gateway, stopping: CancellationToken) -> Self {
        Self {
            stopping,
            table: Arc::clone(&gateway.table),
            switches: Arc::clone(&gateway.switches),
            faults: Arc::clone(&gateway.faults),
            transcoder: Arc::clone(&gateway.transcoder),
            links: gateway.links.clone(),
        }
    }
}

/// Every route of the control API.
pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route("/upstreams", get(upstream::list))
        .route("/upstreams/{service}", get(upstream::show))
        .route("/upstreams/{service}/policy", put(upstream::set_policy))
        .route("/upstreams/{service}/replicas/{replica}/fault", put(injection::set).delete(injection::clear))
        .route("/switches", get(switch::list))
        .route("/switches/{name}", get(switch::show).put(switch::set))
        .route("/events", get(events::stream))
        .fallback(refusal::no_route)
        .method_not_allowed_fallback(refusal::wrong_method)
        .layer(middleware::from_fn_with_state(control.clone(), host::guard))
        .with_state(control)
}

/// Serves the control API until it is told to stop.
pub(crate) async fn serve(listener: TcpListener, control: Control) -> std::io::Result<()> {
    let stopping = control.stopping.clone();
    serve_routes(&ServerSettings::beside(), listener, routes(control), stopping).await
}
