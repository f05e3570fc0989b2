//! The query API that Jaeger UI 2.14.1 uses, in Jaeger's JSON.

mod ancestry;
mod answer;
mod dependencies;
mod duration;
mod jaeger;
mod params;
mod search;
mod tags;
mod traces;

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;

use self::{
    answer::ApiError,
    params::{Params, Segment},
};
use crate::{app::App, clock::now_ns};

const NANOS_PER_MILLI: u64 = 1_000_000;
/// What the dependency page covers when it does not say.
const DEFAULT_LOOKBACK_NS: u64 = 24 * 3600 * 1_000_000_000;

/// Every route below `/api`.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/services", get(services))
        .route("/api/services/{service}/operations", get(operation_names))
        .route("/api/operations", get(operations))
        .route("/api/traces", get(traces::list))
        .route("/api/traces/{id}", get(traces::get))
        .route("/api/dependencies", get(dependency_graph))
        .route("/api/{*rest}", axum::routing::any(no_such_route))
        .with_state(app)
}

async fn services(State(app): State<Arc<App>>) -> Response {
    let store = app.store.read();
    answer::data(&store.operations().services(store.strings()))
}

async fn operation_names(State(app): State<Arc<App>>, Segment(service): Segment) -> Response {
    let store = app.store.read();
    let operations = store.operations().of_service(&service, store.strings());
    let mut names: Vec<_> = operations.into_iter().map(|(name, _)| name).collect();
    names.dedup();
    answer::data(&names)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    name: String,
    span_kind: &'static str,
}

async fn operations(State(app): State<Arc<App>>, mut params: Params) -> Result<Response, ApiError> {
    let (service, kind) = (params.required("service"), params.kind("spanKind"));
    params.finish(())?;
    let store = app.store.read();
    let all = store.operations().of_service(&service, store.strings());
    let wanted = all.into_iter().filter(|operation| kind.is_none_or(|kind| kind == operation.1));
    let found: Vec<_> = wanted.map(|(name, kind)| Operation { name, span_kind: kind.name() }).collect();
    Ok(answer::data(&found))
}

async fn dependency_graph(State(app): State<Arc<App>>, mut params: Params) -> Result<Response, ApiError> {
    let (end, lookback) = (params.number("endTs"), params.number("lookback"));
    params.finish(())?;
    let end_ns = end.map_or_else(now_ns, |millis| millis.saturating_mul(NANOS_PER_MILLI));
    let lookback_ns = lookback.map_or(DEFAULT_LOOKBACK_NS, |millis| millis.saturating_mul(NANOS_PER_MILLI));
    let starts_ns = end_ns.saturating_sub(lookback_ns)..=end_ns;
    Ok(answer::data(&dependencies::dependencies(&app.store.read(), &starts_ns)))
}

async fn no_such_route() -> ApiError {
    ApiError::not_found("the trace viewer has no such query")
}

/// A trace as the pages get it, for tests of what leads there.
#[cfg(test)]
pub(crate) fn render_json(store: &crate::store::Store, id: crate::span::TraceId) -> Option<String> {
    serde_json::to_string(&jaeger::render(store, id, store.get(id)?, false)).ok()
}

#[cfg(test)]
mod tests;
