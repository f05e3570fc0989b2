//! The request of a call, taken in before a replica is bothered with it.
//!
//! A service cannot begin a call of one message before it has the message. Were it passed on as it trickles in, each slow
//! caller would hold a place at a replica, and the replica would be blamed for the time that passes.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use crm_telemetry::rpc::{read_timeout, write_timeout};
use http::Request;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};

use crate::{
    gateway::Gateway,
    intake::{Held, Measured},
    reasons,
};

/// Waits for the whole request, as long as the call may take. What is longer than a body may be over REST follows as it
/// comes. A default deadline begins afterwards; the caller's own has begun.
pub(crate) async fn take_in(
    gateway: &Gateway,
    request: Request<Body>,
) -> Result<(Request<Body>, Option<Held>), Status> {
    let limits = &gateway.limits;
    let (mut parts, body) = request.into_parts();
    let mut body = gateway.intake.measure(body);
    // What is malformed is refused with the call itself.
    let asked = read_timeout(&parts.headers).ok().flatten();
    let started = Instant::now();
    let deadline = started + asked.unwrap_or(limits.default_timeout).min(limits.max_timeout);
    let taken = take(&mut body, limits.max_body_bytes);
    let (bytes, is_whole) = timeout_at(deadline, taken).await.map_err(|_| reasons::deadline_exceeded())??;
    let now = Instant::now();
    // Bytes that were there already have cost no time worth a header.
    if asked.is_some() && now.duration_since(started).as_millis() > 0 {
        write_timeout(&mut parts.headers, deadline.saturating_duration_since(now));
    }
    let (rest, held) = body.into_rest();
    let body = if is_whole { Body::new(Full::new(bytes)) } else { Body::new(Begun { begin: Some(bytes), rest }) };
    Ok((Request::from_parts(parts, body), Some(held)))
}

/// The bytes up to the end, or until they are more than `limit`; and whether this was all. Requests have no trailers.
async fn take(body: &mut Measured, limit: usize) -> Result<(Bytes, bool), Status> {
    let mut taken = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if taken.is_empty() && body.is_end_stream() {
            return Ok((data, true));
        }
        taken.extend_from_slice(&data);
        if taken.len() > limit {
            return Ok((taken.freeze(), false));
        }
    }
    Ok((taken.freeze(), true))
}

/// A body whose beginning has been read.
struct Begun {
    begin: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Begun {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.begin.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begin.is_none() && self.rest.is_end_stream()
    }
}
