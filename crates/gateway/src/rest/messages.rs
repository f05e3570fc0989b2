//! The messages of an upstream's answer, one after the other, and the status behind them.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use crm_transcode::frame::Decoder;
use http::{HeaderMap, Response};
use http_body::Body as _;
use std::pin::Pin;
use tonic::{Code, Status, body::Body};

use crate::reasons;

/// An answer that has begun.
pub(crate) struct Messages {
    body: Body,
    decoder: Decoder,
    trailers: Option<Status>,
    trailing: HeaderMap,
}

impl Messages {
    /// Refuses messages over `limit` bytes; an answer that is nothing but a status is that status.
    pub(crate) fn new(response: Response<Body>, limit: usize) -> Result<Self, Status> {
        match Status::from_header_map(response.headers()) {
            Some(status) if status.code() != Code::Ok => Err(status),
            trailers => {
                let (body, decoder) = (response.into_body(), Decoder::new(limit));
                Ok(Self { body, decoder, trailers, trailing: HeaderMap::new() })
            }
        }
    }

    /// The next message, `None` after the last one of a call that went well, or the status of one that did not.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Self::next`], for bodies.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        loop {
            if let Some(message) = self.take_ready()? {
                return Poll::Ready(Ok(Some(message)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => self.take_frame(frame),
                Some(Err(status)) => return Poll::Ready(Err(status)),
                None => return Poll::Ready(self.end()),
            }
        }
    }

    /// Nobody will ask for more.
    pub(crate) fn abandon(&mut self) {
        self.body = Body::empty();
    }

    /// Metadata that came with the status of a call that went well.
    pub(crate) fn into_trailing(self) -> HeaderMap {
        self.trailing
    }

    /// A message that has arrived already.
    pub(crate) fn take_ready(&mut self) -> Result<Option<Bytes>, Status> {
        self.decoder.next_message().map_err(reasons::unreadable_answer)
    }

    fn take_frame(&mut self, frame: http_body::Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => self.decoder.push(&data),
            Err(frame) => {
                self.trailers = frame.trailers_ref().and_then(Status::from_header_map).or(self.trailers.take());
            }
        }
    }

    fn end(&mut self) -> Result<Option<Bytes>, Status> {
        match self.trailers.take() {
            Some(status) if status.code() != Code::Ok => Err(status),
            Some(mut status) => {
                self.trailing = std::mem::take(status.metadata_mut()).into_headers();
                self.decoder.finish().map(|()| None).map_err(reasons::unreadable_answer)
            }
            None => Err(reasons::answer_without_status()),
        }
    }
}
