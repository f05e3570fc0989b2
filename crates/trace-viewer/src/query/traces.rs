//! Traces by search, by several ids, and one by its id.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::json;

use super::{
    answer::{ApiError, stream_data},
    jaeger::render,
    params::{Params, Segment},
    search::search,
};
use crate::{app::App, clock::now_ns, span::TraceId};

/// `GET /api/traces`: those asked for by id if there is a `traceID`, or else those that match the filters.
pub(super) async fn list(State(app): State<Arc<App>>, mut params: Params) -> Result<Response, ApiError> {
    let raw = params.flag("raw");
    if params.text("traceID").is_some() {
        let ids = params.trace_ids();
        return params.finish(()).map(|()| by_ids(app, ids, raw));
    }
    let filter = params.filter(now_ns());
    let filter = params.finish(filter)?;
    let found = search(&app.store.read(), &filter);
    Ok(answer(app, found, raw, &serde_json::Value::Null))
}

fn by_ids(app: Arc<App>, ids: Vec<TraceId>, raw: bool) -> Response {
    let (found, missing): (Vec<_>, Vec<_>) = {
        let store = app.store.read();
        ids.into_iter().partition(|id| store.get(*id).is_some())
    };
    let errors = missing.iter().map(|id| json!({"code": 404, "msg": "trace not found", "traceID": id.to_string()}));
    let errors: Vec<_> = errors.collect();
    let errors = if errors.is_empty() { serde_json::Value::Null } else { errors.into() };
    answer(app, found, raw, &errors)
}

/// Renders each trace when its turn to be sent comes; one that was evicted meanwhile is left out.
fn answer(app: Arc<App>, ids: Vec<TraceId>, raw: bool, errors: &serde_json::Value) -> Response {
    let total = ids.len();
    let traces = ids.into_iter().filter_map(move |id| render_text(&app, id, raw, false));
    stream_data(stream::iter(traces), total, errors)
}

/// `GET /api/traces/{id}`, with `raw` unadjusted, with `prettyPrint` for people.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    params: Params,
) -> Result<Response, ApiError> {
    let rule = "a trace id has 1 to 32 hexadecimal digits, not all zero";
    let id = TraceId::parse(&id).ok_or_else(|| ApiError::bad_query(vec![rule.to_owned()]))?;
    let is_pretty = params.flag("prettyPrint");
    let text = render_text(&app, id, params.flag("raw"), is_pretty);
    let text = text.ok_or_else(|| ApiError::not_found("trace not found"))?;
    if is_pretty {
        let body =
            format!("{{\n\"data\": [\n{text}\n],\n\"total\": 1, \"limit\": 0, \"offset\": 0, \"errors\": null\n}}\n");
        return Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response());
    }
    Ok(stream_data(stream::iter([text]), 1, &serde_json::Value::Null))
}

fn render_text(app: &App, id: TraceId, raw: bool, is_pretty: bool) -> Option<String> {
    let store = app.store.read();
    let trace = render(&store, id, store.get(id)?, raw);
    let text = if is_pretty { serde_json::to_string_pretty(&trace) } else { serde_json::to_string(&trace) };
    text.ok()
}
