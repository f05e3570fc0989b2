//! A request's bytes, within the bounds of one request and of the process.
//!
//! What is packed may become no larger than what is not, and there are few places to read a request in: so all requests
//! together hold at most `MAX_REQUESTS` bodies of `MAX_REQUEST_BYTES` as they came, and as many inflated ones.

use std::{io::Read, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName},
};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::{sync::SemaphorePermit, time::timeout};

use super::{Fault, Receiver};

/// Largest request, packed or not; exporters send 512 spans or so at a time.
pub(super) const MAX_REQUEST_BYTES: usize = 4 << 20;
/// Requests read at the same time. With their size this bounds the memory that senders can claim.
pub(super) const MAX_REQUESTS: usize = 4;
/// How long a request waits for its turn.
const PLACE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a request may take to arrive; a stuck sender must not hold one of the few places.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

impl Receiver {
    /// Waits for a turn, which lasts until the place is dropped.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
        place.map_err(|_| Fault::Busy)?.map_err(|_| Fault::Busy)
    }
}

/// The whole body, with room for `extra` bytes of framing.
pub(super) async fn read(body: Body, extra: usize) -> Result<Bytes, Fault> {
    let body = timeout(REQUEST_TIMEOUT, Limited::new(body, MAX_REQUEST_BYTES + extra).collect());
    match body.await.map_err(|_| Fault::Late)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::TooLarge),
        Err(_) => Err(Fault::malformed("the request broke off")),
    }
}

/// Whether the named header says gzip; an encoding that is neither that nor none cannot be read.
pub(super) fn is_packed(headers: &HeaderMap, name: HeaderName) -> Result<bool, Fault> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(false) };
    let encoding = line.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match (encoding.as_str(), lines.next()) {
        ("gzip" | "x-gzip", None) => Ok(true),
        ("identity" | "", None) => Ok(false),
        _ => Err(Fault::Encoding),
    }
}

/// Unpacks as far as a request may be large, and no further.
pub(super) fn inflate(packed: &[u8]) -> Result<Bytes, Fault> {
    let mut plain = Vec::new();
    let most = u64::try_from(MAX_REQUEST_BYTES).unwrap_or(u64::MAX) + 1;
    let read = MultiGzDecoder::new(packed).take(most).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() > MAX_REQUEST_BYTES => Err(Fault::TooLarge),
        Ok(_) => Ok(plain.into()),
        Err(_) => Err(Fault::malformed("the body is not gzip")),
    }
}
