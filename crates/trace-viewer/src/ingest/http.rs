//! OTLP over HTTP: protobuf or JSON, and the answer in what the request came in.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use prost::Message;
use serde_json::json;

use super::{
    Receiver, RequestError, body, json,
    receive::receive,
    wire::{ExportRequest, ExportResponse, RpcStatus},
};
use crm_server::host::is_for_private;

/// Seconds after which what was not read is worth another try.
const RETRY_AFTER: &str = "1";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// What a request is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Protobuf,
    Json,
}

impl Media {
    /// Parameters say nothing here, and case does not matter (RFC 9110, 8.3.1).
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
        let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
        let kind = line.split(';').next().unwrap_or_default().trim();
        match () {
            () if kind.eq_ignore_ascii_case(PROTOBUF) => Some(Self::Protobuf),
            () if kind.eq_ignore_ascii_case(JSON) => Some(Self::Json),
            () => None,
        }
    }
}

pub(super) async fn export(State(receiver): State<Receiver>, request: Request) -> Response {
    let media = Media::of(request.headers());
    match read(&receiver, media, request).await {
        Ok(response) => answer(&response, media),
        Err(error) => refuse(&error, media),
    }
}

async fn read(receiver: &Receiver, media: Option<Media>, request: Request) -> Result<ExportResponse, RequestError> {
    if receiver.is_local && !is_for_private(request.uri(), request.headers()) {
        return Err(RequestError::ForeignHost);
    }
    let media = media.ok_or(RequestError::Media)?;
    let is_packed = body::is_packed(request.headers(), header::CONTENT_ENCODING)?;
    let arrived = receiver.bounds.read(request.into_body(), 0).await?;
    let _place = receiver.bounds.place().await?;
    let body = if is_packed { body::inflate(&arrived.body)? } else { arrived.body.clone() };
    let request = match media {
        Media::Protobuf => ExportRequest::decode(body).map_err(|error| RequestError::malformed(&error))?,
        Media::Json => json::read(&body).map_err(|error| RequestError::malformed(&error))?,
    };
    Ok(receive(&receiver.app, request).await)
}

fn answer(response: &ExportResponse, media: Option<Media>) -> Response {
    let told = response.partial_success.as_ref();
    // Whole numbers of 64 bits are texts in the JSON of protobuf.
    let partial =
        told.map(|it| json!({"rejectedSpans": it.rejected_spans.to_string(), "errorMessage": it.error_message}));
    let json = partial.map_or(json!({}), |partial| json!({"partialSuccess": partial}));
    write(media, response, &json)
}

pub(super) fn refuse(error: &RequestError, media: Option<Media>) -> Response {
    let (code, message) = (i32::from(error.code()), error.message().to_owned());
    let json = json!({"code": code, "message": message});
    let mut answer = write(media, &RpcStatus { code, message }, &json);
    *answer.status_mut() = error.http_status();
    let headers = answer.headers_mut();
    match error {
        RequestError::Busy | RequestError::Late => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        RequestError::Media => {
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/x-protobuf, application/json"));
        }
        RequestError::Encoding => {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        _ => {}
    }
    answer
}

/// In the request's own form; people and unknown senders get JSON.
fn write(media: Option<Media>, message: &impl Message, json: &serde_json::Value) -> Response {
    match media {
        Some(Media::Protobuf) => ([(header::CONTENT_TYPE, PROTOBUF)], message.encode_to_vec()).into_response(),
        Some(Media::Json) | None => ([(header::CONTENT_TYPE, JSON)], json.to_string()).into_response(),
    }
}
