//! The request body on its way out, within the peer's flow control.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, SendStream};
use http_body::Body as _;
use tonic::body::Body;

use super::{SendError, SendErrorKind};

/// A last chunk up to this size is handed over whole, without asking for window first: one lock instead of three.
const SMALL: usize = 16 * 1024;

pub(crate) struct Upload {
    stream: SendStream<Bytes>,
    body: Body,
    chunk: Bytes,
}

impl Upload {
    pub(crate) fn new(stream: SendStream<Bytes>, body: Body) -> Self {
        Self { stream, body, chunk: Bytes::new() }
    }

    /// Ready when there is nothing more to hand over; fails only when the caller's body does.
    ///
    /// When the peer closes its side early that is no failure here: its answer, or the lack of one, tells why.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        loop {
            if self.chunk.has_remaining() {
                if !ready!(self.poll_chunk(cx)) {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                return done(self.stream.send_data(Bytes::new(), true));
            };
            let frame = match frame {
                Ok(frame) => frame,
                Err(status) => return Poll::Ready(Err(abandoned(&status))),
            };
            match frame.into_data() {
                Ok(data) if self.body.is_end_stream() && data.len() <= SMALL => {
                    return done(self.stream.send_data(data, true));
                }
                Ok(data) => self.chunk = data,
                Err(frame) => {
                    return done(self.stream.send_trailers(frame.into_trailers().unwrap_or_default()));
                }
            }
        }
    }

    /// Sends what the window allows of the current chunk; false when the peer takes no more.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.stream.reserve_capacity(self.chunk.len());
        if self.stream.capacity() == 0 && !matches!(ready!(self.stream.poll_capacity(cx)), Some(Ok(_))) {
            return Poll::Ready(false);
        }
        let part = self.chunk.split_to(self.stream.capacity().min(self.chunk.len()));
        Poll::Ready(part.is_empty() || self.stream.send_data(part, false).is_ok())
    }

    /// The caller will not finish its request, so the peer need not finish its answer.
    pub(super) fn reset(mut self) {
        self.stream.send_reset(Reason::CANCEL);
    }
}

fn abandoned(status: &tonic::Status) -> SendError {
    SendError { kind: SendErrorKind::Abandoned, message: status.code().to_string() }
}

fn done(_handed_over: Result<(), h2::Error>) -> Poll<Result<(), SendError>> {
    Poll::Ready(Ok(()))
}
