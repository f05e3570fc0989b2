//! One message in answer.

use crm_transcode::{Conditions, Rpc, Transcoder, Verdict};
use http::{HeaderValue, Response, StatusCode, header};
use tonic::{Status, body::Body};

use super::{GRPC_STATUS, messages::Messages, refusal::Refusal};
use crate::{answer, reasons};

/// Waits for the message and the status behind it, and shows the message as JSON, to whom does not have it yet.
pub(crate) async fn answer(
    transcoder: &Transcoder,
    rpc: &Rpc,
    conditions: &Conditions,
    mut messages: Messages,
) -> Result<Response<Body>, Refusal> {
    let message = messages.next().await?;
    // The status comes last; a message that is followed by an error does not count.
    while message.is_some() && messages.next().await?.is_some() {}
    let message = message.ok_or_else(reasons::answer_without_message)?;
    let shown = transcoder.answer(rpc, conditions, &message).map_err(|error| unreadable(&error))?;
    let mut response = match shown.verdict {
        Verdict::Show => answer::json(StatusCode::OK, shown.json),
        Verdict::NotModified => answer::empty(StatusCode::NOT_MODIFIED),
        Verdict::Failed => return Err(Refusal::precondition_failed(reasons::precondition_failed())),
    };
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    if let Some(etag) = shown.etag {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}

pub(crate) fn unreadable(error: &crm_transcode::Error) -> Status {
    tracing::error!(%error, "an answer has no JSON form");
    reasons::unreadable_answer(error)
}
