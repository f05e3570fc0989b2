//! One message in answer.

use bytes::Bytes;
use crm_server::{compression, shares};
use crm_shares::{Holder, Share};
use crm_transcode::{Conditions, Rpc, Verdict};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{in_time, messages::Messages, refusal::Refusal};
use crate::{answer, gateway::Gateway, headers, reasons};

/// What an answer has room for from the start: taken before the service hears of the call, so that no write that was done
/// is told as refused for want of room for its answer.
const RESERVED: usize = 64 * 1024;

/// Room for the answer to one call.
pub(crate) fn reserve(gateway: &Gateway, holder: Holder) -> Result<Share, Status> {
    gateway.outlet.hold(RESERVED, holder)
}

/// What an answer of so many bytes holds until it has been read.
pub(crate) fn hold(gateway: &Gateway, room: &mut Share, bytes: usize) -> Result<(), Status> {
    gateway.outlet.enlarge(room, bytes)?;
    room.shrink_to(bytes);
    Ok(())
}

/// Waits for the message and for the status behind it, and what metadata came with that.
pub(crate) async fn take(
    gateway: &Gateway,
    response: Response<Body>,
    holder: Holder,
) -> Result<(Bytes, HeaderMap), Status> {
    let (parts, body) = response.into_parts();
    let body = Body::new(gateway.outlet.measure_beyond(RESERVED, body, holder)?);
    let mut messages = Messages::new(Response::from_parts(parts, body), gateway.limits.max_answer_bytes)?;
    let message = messages.next().await?;
    // The status comes last; a message that is followed by an error does not count.
    while message.is_some() && messages.next().await?.is_some() {}
    let message = message.ok_or_else(reasons::answer_without_message)?;
    Ok((message, messages.into_trailing()))
}

/// Shows the message as JSON, to whom does not have it yet. Both take up room: the one until it is the other, and that
/// until it has been read. What is no single resource has no tag, and is packed for who `takes_gzip`.
pub(crate) async fn answer(
    gateway: &Gateway,
    rpc: &Rpc,
    (conditions, takes_gzip, deadline): (&Conditions, bool, Instant),
    response: Response<Body>,
    (holder, mut room): (Holder, Share),
) -> Result<Response<Body>, Refusal> {
    let redirected = response.headers().get(headers::REDIRECTED_FROM).cloned();
    let (message, _) = take(gateway, response, holder).await?;
    // Kept until the answer is packed, too.
    let turn = in_time(deadline, gateway.desk.turn_to_write(&message, holder)).await?;
    let shown = turn.work(|| match redirected {
        // What stands for another has a state, but not one of what was asked for.
        Some(_) => gateway.transcoder.answer_without_state(rpc, conditions, &message),
        None => gateway.transcoder.answer(rpc, conditions, &message),
    });
    let shown = shown.map_err(|error| unreadable(&error))?;
    drop(message);
    hold(gateway, &mut room, shown.json.len())?;
    let mut response = match shown.verdict {
        Verdict::Show if shown.etag.is_none() => {
            let mut response = answer::json(StatusCode::OK, Vec::new());
            let body = compression::pack(takes_gzip, shown.json.into(), response.headers_mut()).await;
            room.shrink_to(body.len());
            response.map(|_| Body::new(Full::new(body)))
        }
        Verdict::Show => answer::json(StatusCode::OK, shown.json),
        Verdict::NotModified => answer::empty(StatusCode::NOT_MODIFIED),
        Verdict::Failed => return Err(Refusal::precondition_failed(reasons::precondition_failed())),
    };
    let told = response.headers_mut();
    told.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    if let Some(etag) = shown.etag {
        told.insert(header::ETAG, etag);
    }
    told.extend(redirected.map(|from| (headers::REDIRECTED_FROM, from)));
    Ok(shares::hold(response, Some(room)))
}

pub(crate) fn unreadable(error: &crm_transcode::Error) -> Status {
    tracing::error!(%error, "an answer has no JSON form");
    reasons::unreadable_answer(error)
}
