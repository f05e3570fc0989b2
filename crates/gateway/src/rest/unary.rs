//! One message in answer.

use crm_transcode::{Rpc, Transcoder};
use http::{HeaderValue, Response, StatusCode};
use tonic::{Status, body::Body};

use super::{GRPC_STATUS, messages::Messages, refusal::Refusal};
use crate::{answer, reasons};

/// Waits for the message and the status behind it, and shows the message as JSON.
pub(crate) async fn answer(
    transcoder: &Transcoder,
    rpc: &Rpc,
    mut messages: Messages,
) -> Result<Response<Body>, Refusal> {
    let message = messages.next().await?;
    // The status comes last; a message that is followed by an error does not count.
    while message.is_some() && messages.next().await?.is_some() {}
    let message = message.ok_or_else(reasons::answer_without_message)?;
    let json = transcoder.response_json(rpc, &message).map_err(|error| unreadable(&error))?;
    let mut response = answer::json(StatusCode::OK, json);
    response.headers_mut().insert(GRPC_STATUS, HeaderValue::from_static("0"));
    Ok(response)
}

pub(crate) fn unreadable(error: &crm_transcode::Error) -> Status {
    tracing::error!(%error, "an answer has no JSON form");
    reasons::unreadable_answer(error)
}
