//! OTLP over gRPC: one message in, one out.
//!
//! By hand, as a ready-made server unpacks a message before anybody can say how large it may become.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::Status;

use super::{
    Receiver, RequestError, body,
    receive::receive,
    wire::{ExportRequest, ExportResponse},
};

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// A flag that says whether the message is packed, and its length.
const PREFIX: usize = 5;

pub(super) async fn export(State(receiver): State<Receiver>, request: Request) -> Response {
    match read(&receiver, request).await {
        Ok(response) => answer(&response),
        Err(error) => refuse(&error),
    }
}

async fn read(receiver: &Receiver, request: Request) -> Result<ExportResponse, RequestError> {
    if !is_grpc(request.headers()) {
        return Err(RequestError::Media);
    }
    let is_packed = body::is_packed(request.headers(), ENCODING)?;
    let frame = receiver.bounds.read(request.into_body(), PREFIX).await?;
    let _place = receiver.bounds.place().await?;
    let request =
        ExportRequest::decode(message(&frame.body, is_packed)?).map_err(|error| RequestError::malformed(&error))?;
    Ok(receive(&receiver.app, request).await)
}

/// The message of a call that has one.
fn message(frame: &Bytes, is_packed: bool) -> Result<Bytes, RequestError> {
    let Some((&[flag, a, b, c, d], message)) = frame.split_first_chunk::<PREFIX>() else {
        return Err(RequestError::malformed("the call has no message"));
    };
    if usize::try_from(u32::from_be_bytes([a, b, c, d])) != Ok(message.len()) {
        return Err(RequestError::malformed("the call is not one whole message"));
    }
    match flag {
        0 => Ok(frame.slice(PREFIX..)),
        1 if is_packed => body::inflate(message),
        _ => Err(RequestError::malformed("the message is packed, and grpc-encoding does not say how")),
    }
}

fn answer(response: &ExportResponse) -> Response {
    let mut frame = BytesMut::with_capacity(PREFIX + response.encoded_len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(response.encoded_len()).unwrap_or_default());
    frame.put_slice(&response.encode_to_vec());
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(frame.freeze()).with_trailers(async { Some(Ok(trailers)) });
    let mut answer = Response::new(Body::new(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    with_encodings(answer)
}

pub(super) fn refuse(error: &RequestError) -> Response {
    with_encodings(Status::new(error.code(), error.message()).into_http())
}

fn with_encodings(mut answer: Response) -> Response {
    answer.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip"));
    answer
}

pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/grpc" | "application/grpc+proto")
}
