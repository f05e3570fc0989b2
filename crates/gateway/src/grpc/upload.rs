//! The request of a call, taken in before a replica is bothered with it.
//!
//! A service cannot begin a call of one message before it has the message. Were it passed on as it trickles in, each slow
//! caller would hold a place at a replica, and the replica would be blamed for the time that passes.

use bytes::{Bytes, BytesMut};
use crm_shares::{Holder, Share};
use crm_telemetry::rpc::{read_timeout, write_timeout};
use http::Request;
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};

use crate::{gateway::Gateway, intake::Measured, reasons};

/// gRPC's prefix before a message.
const PREFIX_BYTES: usize = 5;

/// Waits for the whole request, as long as a single message may take. A default deadline begins afterwards; the caller's
/// own has begun.
pub(crate) async fn take_in(
    gateway: &Gateway,
    holder: Holder,
    request: Request<Body>,
) -> Result<(Request<Body>, Share), Status> {
    let limits = &gateway.limits;
    let (mut parts, body) = request.into_parts();
    let mut body = gateway.intake.measure(body, holder)?;
    // What is malformed is refused with the call itself.
    let asked = read_timeout(&parts.headers).ok().flatten();
    let started = Instant::now();
    let patience = asked.unwrap_or(limits.default_timeout).min(limits.max_timeout);
    let taken = take(&mut body, limits.max_message_bytes);
    let bytes = timeout_at(started + patience, taken).await.map_err(|_| reasons::deadline_exceeded())??;
    let spent = started.elapsed();
    // Bytes that were there already have cost no time worth a header.
    if let Some(asked) = asked.filter(|_| spent.as_millis() > 0) {
        write_timeout(&mut parts.headers, asked.saturating_sub(spent));
    }
    Ok((Request::from_parts(parts, Body::new(Full::new(bytes))), body.into_held()))
}

/// The bytes up to the end, unless they are more than a message of `limit` bytes. Requests have no trailers.
async fn take(body: &mut Measured, limit: usize) -> Result<Bytes, Status> {
    let mut taken = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if taken.len() + data.len() > limit + PREFIX_BYTES {
            return Err(reasons::message_too_large(limit));
        }
        if taken.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        taken.extend_from_slice(&data);
    }
    Ok(taken.freeze())
}
