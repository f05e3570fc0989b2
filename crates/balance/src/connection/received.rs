//! The response body on its way in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

use super::broken::code_of;
use super::places::Place;
use super::upload::Upload;

/// Reads the response, and goes on sending the request where that is a stream, too.
pub(crate) struct Received {
    stream: RecvStream,
    upload: Option<Upload>,
    /// Its caller broke the request off.
    is_abandoned: bool,
    data_done: bool,
    _place: Option<Place>,
}

/// Why a response broke off that its own caller ended: no fault of the endpoint.
#[derive(Debug, thiserror::Error)]
#[error("the caller broke off its request")]
pub(crate) struct Abandoned;

impl Received {
    pub(super) fn new(stream: RecvStream, upload: Option<Upload>, place: Option<Place>) -> Self {
        Self { stream, upload, is_abandoned: false, data_done: false, _place: place }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) {
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(sent) = upload.poll_send(cx)
        {
            let upload = self.upload.take();
            if sent.is_err() {
                self.is_abandoned = true;
                upload.into_iter().for_each(Upload::reset);
            }
        }
    }

    fn broken(&self, error: &h2::Error) -> Status {
        let mut status = Status::new(code_of(error), "response broke off");
        if self.is_abandoned {
            status.set_source(Arc::new(Abandoned));
        }
        status
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.poll_upload(cx);
        if !self.data_done {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // Whoever reads has taken it: let the peer send as much again. Fails only on a stream already reset.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(self.broken(&error)))),
                None => self.data_done = true,
            }
        }
        match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(Some(Err(self.broken(&error)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
