//! How fast an answer is taken, while there is something to take.
//!
//! HTTP asks a body for more when its peer has taken what came before. So the time from a frame to the question for the
//! next one is the reader's, and the time from the question to the frame is the service's: a stream that has nothing to
//! say is not slow. What is measured is the reader's time alone, the last window of it, in slots.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use crm_telemetry::rpc::trailers;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use crate::reasons;

const SLOTS: usize = 30;

/// How fast a stream must be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceSettings {
    /// Least that is to be taken on average.
    pub bytes_per_second: u64,
    /// The average is over this much of the reader's time.
    pub over: Duration,
}

impl Default for PaceSettings {
    /// 64 KiB a second over 30 s.
    fn default() -> Self {
        Self { bytes_per_second: 64 << 10, over: Duration::from_secs(30) }
    }
}

/// The pace of one reader.
#[derive(Debug)]
pub(crate) struct Pace {
    settings: PaceSettings,
    /// What lies before the reader, and since when.
    offered: Option<(Instant, usize)>,
    /// Bytes taken in each part of the window; the one at `at` is filling.
    slots: [u64; SLOTS],
    at: usize,
    filled: Duration,
    /// The window has been gone through once.
    is_full: bool,
}

impl Pace {
    pub(crate) fn new(settings: PaceSettings) -> Self {
        Self { settings, offered: None, slots: [0; SLOTS], at: 0, filled: Duration::ZERO, is_full: false }
    }

    /// So many bytes lie before the reader from now on.
    pub(crate) fn offer(&mut self, bytes: usize) {
        self.offered = Some((Instant::now(), bytes));
    }

    /// The reader has taken what lay before it; an error if that was too slow.
    pub(crate) fn taken(&mut self) -> Result<(), Status> {
        let Some((since, bytes)) = self.offered.take() else { return Ok(()) };
        let is_fast_enough = self.count(since.elapsed(), bytes as u64);
        let PaceSettings { bytes_per_second, over } = self.settings;
        if is_fast_enough { Ok(()) } else { Err(reasons::read_too_slowly(bytes_per_second, over)) }
    }

    /// Spreads the bytes evenly over the time that they took.
    fn count(&mut self, mut time: Duration, mut bytes: u64) -> bool {
        let slot = (self.settings.over / SLOTS as u32).max(Duration::from_nanos(1));
        while self.filled + time >= slot {
            let part = slot - self.filled;
            // Less than `bytes`, as the part is less than the time.
            let of_part = u64::try_from(u128::from(bytes) * part.as_nanos() / time.as_nanos().max(1)).unwrap_or(bytes);
            self.slots[self.at] += of_part;
            (time, bytes) = (time - part, bytes - of_part);
            if !self.close_slot() {
                return false;
            }
        }
        self.filled += time;
        self.slots[self.at] += bytes;
        true
    }

    fn close_slot(&mut self) -> bool {
        self.at = (self.at + 1) % SLOTS;
        self.is_full |= self.at == 0;
        let taken: u64 = self.slots.iter().sum();
        let least = u128::from(self.settings.bytes_per_second) * self.settings.over.as_millis() / 1_000;
        (self.slots[self.at], self.filled) = (0, Duration::ZERO);
        !self.is_full || u128::from(taken) >= least
    }
}

/// A gRPC answer that ends with a status when it is read too slowly.
pub(crate) struct Paced {
    inner: Option<Body>,
    pace: Pace,
}

impl Paced {
    pub(crate) fn new(inner: Body, settings: PaceSettings) -> Self {
        Self { inner: Some(inner), pace: Pace::new(settings) }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Err(slow) = self.pace.taken() {
            // Dropping it is what ends the work behind.
            self.inner = None;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(&slow)))));
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
            self.pace.offer(data.map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::sleep;
    use tonic::Code;

    use super::*;

    /// Seconds of reading after which a reader is cut that takes so many bytes each time, so many seconds after they lie
    /// there, and waits so long for the next ones.
    async fn cut_after(frames: impl Iterator<Item = (usize, f64, f64)>) -> Option<f64> {
        let mut pace = Pace::new(PaceSettings::default());
        let mut reading = 0.0;
        for (bytes, takes, waits) in frames {
            pace.offer(bytes);
            sleep(Duration::from_secs_f64(takes)).await;
            reading += takes;
            if pace.taken().is_err() {
                return Some(reading);
            }
            sleep(Duration::from_secs_f64(waits)).await;
            assert!(pace.taken().is_ok(), "waiting is not the reader's fault");
        }
        None
    }

    async fn check(what: &str, frames: impl Iterator<Item = (usize, f64, f64)>, expected: Option<f64>) {
        let cut = cut_after(frames).await;
        let is_near = match (cut, expected) {
            (Some(cut), Some(expected)) => (expected..expected + 2.0).contains(&cut),
            (cut, expected) => cut == expected,
        };
        assert!(is_near, "{what}: {cut:?} instead of {expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_less_than_the_least_over_the_window_is_cut_then() {
        let kib = 1024;
        let same = std::iter::repeat_n::<(usize, f64, f64)>;
        check("just enough", same((17 * kib, 0.25, 0.0), 2_000), None).await;
        check("a little less", same((63 * kib, 1.0, 0.0), 100), Some(30.0)).await;
        check("a tenth", same((16 * kib, 2.5, 0.0), 100), Some(30.0)).await;
        check("fast", same((16 * kib, 0.001, 0.0), 10_000), None).await;
        check("slow, but only because there is little", same((100, 0.0, 20.0), 100), None).await;
        check("little, and taken late", same((100, 0.5, 20.0), 100), Some(30.0)).await;
        check("in bursts", same((1 << 20, 15.0, 5.0), 100), None).await;
        // What was taken in good time counts as long as the window lasts, and no longer.
        let fast_then_slow = same((64 * kib, 0.1, 0.0), 100).chain(same((kib, 1.0, 0.0), 100));
        check("fast, then slow", fast_then_slow, Some(37.0)).await;
        let huge = std::iter::once((64 << 20, 1_000.0, 0.0)).chain(same((kib, 1.0, 0.0), 100));
        check("a message that is itself as long as many windows", huge, Some(1_001.0)).await;
        check("one that is taken too slowly", same((1 << 20, 40.0, 0.0), 1), Some(40.0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_answer_says_so_and_lets_go_of_the_service() {
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        let endless = futures_util::stream::repeat_with(move || {
            let _alive = &alive;
            Ok::<_, Status>(Frame::data(Bytes::from_static(b"more")))
        });
        let mut body = Paced::new(Body::new(StreamBody::new(endless)), PaceSettings::default());
        let trailers = loop {
            match body.frame().await.expect("a frame").expect("no error").into_trailers() {
                Ok(trailers) => break trailers,
                Err(_data) => sleep(Duration::from_secs(3)).await,
            }
        };
        let status = Status::from_header_map(&trailers).expect("a status");
        assert_eq!(status.code(), Code::Aborted);
        assert!(status.message().contains("65536 bytes a second over 30s"), "{}", status.message());
        assert!(gone.await.is_err() && body.is_end_stream() && body.frame().await.is_none());
    }
}
