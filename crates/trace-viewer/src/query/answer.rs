//! Jaeger's envelope: `data` with its totals, or `errors` of code and message.

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::json;

/// Why a query has no answer.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    messages: Vec<String>,
}

impl ApiError {
    pub(super) fn bad_query(messages: Vec<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, messages }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, messages: vec![message.to_owned()] }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = self.status.as_u16();
        let errors: Vec<_> = self.messages.iter().map(|message| json!({"code": code, "msg": message})).collect();
        let body = json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": errors});
        (self.status, axum::Json(body)).into_response()
    }
}

/// A whole answer at once.
pub(super) fn data<T: Serialize>(items: &[T]) -> Response {
    let body = json!({"data": items, "total": items.len(), "limit": 0, "offset": 0, "errors": null});
    axum::Json(body).into_response()
}

/// An answer piece by piece, so that a thousand traces never lie in memory as text at the same time.
///
/// `items` are JSON texts; `errors` go to the end of the envelope.
pub(super) fn stream_data<S>(items: S, total: usize, errors: &serde_json::Value) -> Response
where
    S: Stream<Item = String> + Send + 'static,
{
    let head = stream::iter([r#"{"data":["#.to_owned()]);
    let tail = format!(r#"],"total":{total},"limit":0,"offset":0,"errors":{errors}}}"#);
    let items = items.enumerate().map(|(index, item)| if index == 0 { item } else { format!(",{item}") });
    let chunks = head.chain(items).chain(stream::iter([tail]));
    let body = Body::from_stream(chunks.map(|chunk| Ok::<_, std::convert::Infallible>(Bytes::from(chunk))));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
