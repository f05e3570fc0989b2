//! One message in answer.

use crm_server::shares;
use crm_shares::Holder;
use crm_transcode::{Conditions, Rpc, Verdict};
use http::{HeaderValue, Response, StatusCode, header};
use tonic::{Status, body::Body};

use super::{GRPC_STATUS, messages::Messages, refusal::Refusal};
use crate::{answer, gateway::Gateway, reasons};

/// Waits for the message and the status behind it, and shows the message as JSON, to whom does not have it yet. Both take
/// up room: the one until it is the other, and that until it has been read.
pub(crate) async fn answer(
    gateway: &Gateway,
    rpc: &Rpc,
    conditions: &Conditions,
    response: Response<Body>,
    holder: Holder,
) -> Result<Response<Body>, Refusal> {
    let (parts, body) = response.into_parts();
    let body = Body::new(gateway.outlet.measure(body, holder)?);
    let mut messages = Messages::new(Response::from_parts(parts, body), gateway.limits.max_answer_bytes)?;
    let message = messages.next().await?;
    // The status comes last; a message that is followed by an error does not count.
    while message.is_some() && messages.next().await?.is_some() {}
    let message = message.ok_or_else(reasons::answer_without_message)?;
    let shown = gateway.transcoder.answer(rpc, conditions, &message).map_err(|error| unreadable(&error))?;
    let room = gateway.outlet.hold(shown.json.len(), holder)?;
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
    Ok(shares::hold(response, Some(room)))
}

pub(crate) fn unreadable(error: &crm_transcode::Error) -> Status {
    tracing::error!(%error, "an answer has no JSON form");
    reasons::unreadable_answer(error)
}
