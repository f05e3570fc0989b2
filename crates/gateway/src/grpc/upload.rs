//! The request of a call, taken in before a replica is bothered with it.
//!
//! A service cannot begin a call of one message before it has the message. Were it passed on as it trickles in, each slow
//! caller would hold a place at a replica, and the replica would be blamed for the time that passes.

use bytes::{Bytes, BytesMut};
use crm_server::framing::{Expected, Framing, PREFIX_BYTES};
use crm_shares::{Holder, Share};
use crm_telemetry::rpc::{read_timeout, write_timeout};
use http::{Request, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};

use super::{encoding, inflate::inflate};
use crate::{
    config::CallLimits,
    intake::{Intake, Measured},
    reasons,
};

/// Waits for the whole request, as long as a single message may take. A default deadline begins afterwards; the caller's
/// own has begun.
pub(crate) async fn take_in(
    intake: &Intake,
    limits: &CallLimits,
    holder: Holder,
    request: Request<Body>,
) -> Result<(Request<Body>, Share), Status> {
    let (mut parts, body) = request.into_parts();
    let packed = encoding::is_packed(&parts.headers)?;
    let expected = Expected { one: true, packed, most_bytes: limits.max_message_bytes };
    let body = intake.measure(body, holder)?;
    // What is malformed is refused with the call itself.
    let asked = read_timeout(&parts.headers).ok().flatten();
    let started = Instant::now();
    let patience = asked.unwrap_or(limits.default_timeout).min(limits.max_timeout);
    let taken = take_plain(intake, body, expected);
    let (bytes, held) = timeout_at(started + patience, taken).await.map_err(|_| reasons::deadline_exceeded())??;
    let spent = started.elapsed();
    // Bytes that were there already have cost no time worth a header.
    if let Some(asked) = asked.filter(|_| spent.as_millis() > 0) {
        write_timeout(&mut parts.headers, asked.saturating_sub(spent));
    }
    // Services are asked in plain bytes, and answer so.
    if parts.headers.remove(encoding::ENCODING).is_some() {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    parts.headers.remove(encoding::ACCEPTED);
    Ok((Request::from_parts(parts, Body::new(Full::new(bytes))), held))
}

/// The one message, unpacked, and the room that it takes up.
async fn take_plain(intake: &Intake, mut body: Measured, expected: Expected) -> Result<(Bytes, Share), Status> {
    let bytes = take(&mut body, expected).await?;
    let mut held = body.into_held();
    if bytes.first() == Some(&0) {
        return Ok((bytes, held));
    }
    let packed = bytes.get(PREFIX_BYTES..).unwrap_or_default();
    // What is packed stays until it is unpacked.
    let make_room = |plain: usize| intake.enlarge(&mut held, bytes.len() + plain);
    let plain = inflate(packed, expected.most_bytes, make_room).await?;
    held.shrink_to(plain.len());
    Ok((plain, held))
}

/// The bytes up to the end, unless they are not what is expected. Requests have no trailers.
async fn take(body: &mut Measured, expected: Expected) -> Result<Bytes, Status> {
    let (mut framing, mut taken) = (Framing::new(expected), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        framing.push(&data)?;
        if taken.is_empty() && body.is_end_stream() {
            framing.end()?;
            return Ok(data);
        }
        taken.extend_from_slice(&data);
    }
    framing.end()?;
    Ok(taken.freeze())
}
