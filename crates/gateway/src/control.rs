//! The control API: what the balancer sees and does, and the switches that change it while calls run.
//!
//! It is meant for the machine that the gateway runs on and asks for no token, so it listens on the loopback address
//! unless its configuration says otherwise, and answers to no name that a foreign web page can have. Every answer is
//! JSON; errors are those of the public API.

mod change;
mod events;
mod fault_view;
mod host;
mod injection;
mod refusal;
mod state;
mod switch;
mod upstream;

use axum::{
    Router, middleware,
    routing::{get, put},
};
use crm_server::process::{ServerSettings, serve_routes};
use tokio::net::TcpListener;

pub(crate) use state::Control;

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
