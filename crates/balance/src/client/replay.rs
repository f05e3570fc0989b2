//! A request body that can be sent again, as long as it is small.
//!
//! Most unary requests have arrived whole when they are looked at, and are then just bytes. What still arrives is recorded
//! on its way to the first attempt, and never waited for: a stream that goes both ways would wait for ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame};
use http_body_util::Full;
use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

pub(super) enum Replay {
    Whole(Bytes),
    Arriving(Arc<Mutex<Tape>>),
}

impl Replay {
    /// Takes what has arrived, up to the limit.
    pub(super) async fn capture(body: Body, limit: usize) -> Result<Self, Status> {
        let mut tape = Tape {
            chunks: Vec::new(),
            bytes: 0,
            limit,
            is_over: false,
            rest: Some(body),
            player: 0,
            debt: Arc::default(),
        };
        poll_fn(|cx| tape.fill(cx)).await?;
        let is_whole = tape.rest.is_none() && !tape.is_over;
        Ok(if is_whole { Self::Whole(tape.join()) } else { Self::Arriving(Arc::new(Mutex::new(tape))) })
    }

    /// The body for one attempt; those given before fall silent.
    pub(super) fn body(&self) -> Body {
        match self {
            Self::Whole(bytes) => Body::new(Full::new(bytes.clone())),
            Self::Arriving(tape) => {
                let mut played = tape.lock();
                played.player += 1;
                Body::new(Player { tape: Arc::clone(tape), number: played.player, at: 0 })
            }
        }
    }

    /// What is still to come from the caller.
    pub(super) fn debt(&self) -> Option<Arc<Debt>> {
        match self {
            Self::Whole(_) => None,
            Self::Arriving(tape) => Some(Arc::clone(&tape.lock().debt)),
        }
    }

    /// Whether another attempt would send the same.
    pub(super) fn is_replayable(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Arriving(tape) => !tape.lock().is_over,
        }
    }
}

/// What has been recorded, and what is still to come.
pub(super) struct Tape {
    chunks: Vec<Bytes>,
    bytes: usize,
    limit: usize,
    /// More came than is kept: there will be one attempt only.
    is_over: bool,
    rest: Option<Body>,
    /// Which player may read.
    player: u32,
    debt: Arc<Debt>,
}

/// Since when a call waits for its caller to go on with the request.
#[derive(Default)]
pub(super) struct Debt(Mutex<Option<Instant>>);

impl Debt {
    pub(super) fn owe(&self) {
        self.0.lock().get_or_insert_with(Instant::now);
    }

    pub(super) fn pay(&self) {
        *self.0.lock() = None;
    }

    pub(super) fn since(&self) -> Option<Instant> {
        *self.0.lock()
    }
}

impl Tape {
    /// Records whatever is there. Always ready.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        while !self.is_over && self.rest.is_some() {
            match self.poll_next(cx) {
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Err(status)),
                // What goes over the limit was taken from the body and has to be sent all the same.
                Poll::Ready(Some(Ok(chunk))) if self.is_over => self.chunks.push(chunk),
                Poll::Ready(_) => {}
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The next chunk from the caller; recorded if it fits.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        let Some(body) = &mut self.rest else { return Poll::Ready(None) };
        // A request has no trailers in gRPC: only data counts.
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            self.debt.owe();
            return Poll::Pending;
        };
        self.debt.pay();
        let data = match frame {
            Some(Ok(frame)) => frame.into_data().ok(),
            Some(Err(status)) => return Poll::Ready(Some(Err(status))),
            None => None,
        };
        if data.is_none() || body.is_end_stream() {
            self.rest = None;
        }
        Poll::Ready(data.map(|chunk| {
            self.record(&chunk);
            Ok(chunk)
        }))
    }

    fn record(&mut self, chunk: &Bytes) {
        self.bytes = self.bytes.saturating_add(chunk.len());
        if self.bytes > self.limit {
            self.is_over = true;
        } else {
            self.chunks.push(chunk.clone());
        }
    }

    fn join(mut self) -> Bytes {
        match self.chunks.len() {
            0 => Bytes::new(),
            1 => self.chunks.remove(0),
            _ => self
                .chunks
                .iter()
                .fold(BytesMut::with_capacity(self.bytes), |mut all, chunk| {
                    all.extend_from_slice(chunk);
                    all
                })
                .freeze(),
        }
    }
}

/// Plays the tape from its beginning, then goes on recording.
struct Player {
    tape: Arc<Mutex<Tape>>,
    number: u32,
    at: usize,
}

impl http_body::Body for Player {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let tape = Arc::clone(&self.tape);
        let mut tape = tape.lock();
        if tape.player != self.number {
            return Poll::Ready(Some(Err(Status::cancelled("another attempt took over"))));
        }
        if let Some(chunk) = tape.chunks.get(self.at) {
            self.at += 1;
            return Poll::Ready(Some(Ok(Frame::data(chunk.clone()))));
        }
        let next = ready!(tape.poll_next(cx));
        self.at = tape.chunks.len();
        Poll::Ready(next.map(|chunk| chunk.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    fn body(chunks: &[&'static str]) -> Body {
        let frames: Vec<_> =
            chunks.iter().map(|chunk| Ok::<_, Status>(Frame::data(Bytes::from_static(chunk.as_bytes())))).collect();
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    async fn text(body: Body) -> Bytes {
        body.collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn body_that_has_arrived_is_sent_as_often_as_asked() {
        let replay = Replay::capture(body(&["ab", "c"]), 64).await.unwrap();
        assert!(matches!(replay, Replay::Whole(_)));
        for _ in 0..2 {
            assert_eq!(text(replay.body()).await, "abc");
        }
    }

    #[tokio::test]
    async fn larger_body_streams_through_once() {
        let replay = Replay::capture(body(&["abc", "defg", "h"]), 5).await.unwrap();
        assert!(!replay.is_replayable());
        assert_eq!(text(replay.body()).await, "abcdefgh");
    }

    #[tokio::test]
    async fn second_attempt_takes_over_what_the_first_has_read_and_the_rest() {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Result<Frame<Bytes>, Status>>();
        let chunks = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        let send = |text: &'static str| sender.send(Ok(Frame::data(Bytes::from_static(text.as_bytes())))).unwrap();
        send("a");
        let replay = Replay::capture(Body::new(StreamBody::new(Box::pin(chunks))), 64).await.unwrap();
        let mut first = replay.body();
        send("b");
        for expected in ["a", "b"] {
            assert_eq!(first.frame().await.unwrap().unwrap().into_data().unwrap(), expected);
        }
        let second = replay.body();
        assert!(first.frame().await.unwrap().is_err());
        send("c");
        drop(sender);
        assert_eq!(text(second).await, "abc");
    }
}
