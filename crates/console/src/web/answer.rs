//! Answers to people and to the page's script.

use askama::Template;
use axum::{
    Json,
    response::{Html, IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    why: &'a str,
}

/// A rendered page.
pub(super) fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot render a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Says that something was done: to the script in JSON, to a browser by sending it on to the page.
pub(super) fn done(headers: &HeaderMap, said: &str, to: &str) -> Response {
    if wants_json(headers) { Json(json!({"said": said})).into_response() } else { Redirect::to(to).into_response() }
}

/// Says that something was not done, and why.
pub(super) fn refused(headers: &HeaderMap, status: StatusCode, why: &str) -> Response {
    if wants_json(headers) {
        return (status, Json(json!({"said": why}))).into_response();
    }
    (status, html(&Refused { why })).into_response()
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json")
}
