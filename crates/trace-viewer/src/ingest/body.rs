//! A request's bytes, within the bounds of one request and of the process.
//!
//! What is packed may become no larger than what is not, bodies on their way in have a budget together, and there are few
//! places to inflate and decode in: so all requests hold at most the bytes of `MAX_REQUESTS` bodies of `MAX_REQUEST_BYTES` as
//! they came, and as many inflated ones. A place is for work, which nobody but us makes longer: it is taken when the body is
//! there.

use std::{io::Read, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName},
};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};

use super::{
    RequestError,
    arrivals::{Arrivals, Arrived},
};

/// Largest request, packed or not; exporters send 512 spans or so at a time.
pub(super) const MAX_REQUEST_BYTES: usize = 4 << 20;
/// Requests decoded at the same time, and the part of the budget that one body may have, as a divisor. With their size this
/// bounds the memory that senders can claim.
const MAX_REQUESTS: usize = 4;
/// How long a request that is there waits for its turn.
const PLACE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a body may rest on its way.
const REST: Duration = Duration::from_secs(10);

/// What all requests share, whatever they come by.
#[derive(Clone)]
pub(super) struct Bounds {
    arrivals: Arc<Arrivals>,
    places: Arc<Semaphore>,
}

impl Bounds {
    pub(super) fn new() -> Self {
        let arrivals = Arrivals::new(MAX_REQUESTS * MAX_REQUEST_BYTES, REST);
        Self { arrivals, places: Arc::new(Semaphore::new(MAX_REQUESTS)) }
    }

    /// The whole body, with room for `extra` bytes of framing.
    pub(super) async fn read(&self, body: Body, extra: usize) -> Result<Arrived, RequestError> {
        read(&self.arrivals, body, MAX_REQUEST_BYTES + extra).await
    }

    /// Waits for a turn to work, which lasts until the place is dropped.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, RequestError> {
        let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
        place.map_err(|_| RequestError::Busy)?.map_err(|_| RequestError::Busy)
    }
}

async fn read(arrivals: &Arc<Arrivals>, mut body: Body, most: usize) -> Result<Arrived, RequestError> {
    let (mut arrival, mut length) = (arrivals.begin(Instant::now()), 0);
    while let Some(frame) = timeout_at(arrival.until(), body.frame()).await.map_err(|_| RequestError::Late)? {
        let frame = frame.map_err(|_| RequestError::malformed("the request broke off"))?;
        let Ok(part) = frame.into_data() else { continue };
        length += part.len();
        if length > most {
            return Err(RequestError::TooLarge);
        }
        arrival.push(&part, Instant::now())?;
    }
    arrival.finish()
}

/// Whether the named header says gzip; an encoding that is neither that nor none cannot be read.
pub(super) fn is_packed(headers: &HeaderMap, name: HeaderName) -> Result<bool, RequestError> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(false) };
    let encoding = line.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match (encoding.as_str(), lines.next()) {
        ("gzip" | "x-gzip", None) => Ok(true),
        ("identity" | "", None) => Ok(false),
        _ => Err(RequestError::Encoding),
    }
}

/// Unpacks as far as a request may be large, and no further.
pub(super) fn inflate(packed: &[u8]) -> Result<Bytes, RequestError> {
    let mut plain = Vec::new();
    let most = u64::try_from(MAX_REQUEST_BYTES).unwrap_or(u64::MAX) + 1;
    let read = MultiGzDecoder::new(packed).take(most).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() > MAX_REQUEST_BYTES => Err(RequestError::TooLarge),
        Ok(_) => Ok(plain.into()),
        Err(_) => Err(RequestError::malformed("the body is not gzip")),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_that_stands_still_or_grows_too_long_is_given_up_and_its_bytes_are_free() {
        let arrivals = Arrivals::new(8, Duration::from_millis(50));
        let parts = |parts: &'static [&str]| stream::iter(parts).map(|part| Ok::<_, tonic::Status>(Bytes::from(*part)));
        let half = Body::from_stream(parts(&["abc"]).chain(stream::pending()));
        assert_eq!(read(&arrivals, half, 8).await.err(), Some(RequestError::Late));
        assert_eq!(
            read(&arrivals, Body::from_stream(parts(&["abcd", "efghi"])), 8).await.err(),
            Some(RequestError::TooLarge)
        );
        let whole = read(&arrivals, Body::from_stream(parts(&["abcd", "efgh"])), 8).await.unwrap();
        assert_eq!(whole.body, "abcdefgh");
    }
}
