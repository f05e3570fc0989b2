//! A response body under a deadline. Whatever breaks it off becomes trailers with a status, for headers are long gone.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::deadline::exceeded;

pin_project! {
    pub(super) struct Timed<B> {
        // None once it is over: dropping it is what cancels the work behind.
        #[pin]
        inner: Option<B>,
        // Costs nothing until it is polled, which is when the body is not there yet.
        #[pin]
        expiry: Sleep,
        given: Duration,
    }
}

impl<B> Timed<B> {
    pub(super) fn new(inner: B, deadline: Instant, given: Duration) -> Self {
        Self { inner: Some(inner), expiry: sleep_until(deadline), given }
    }
}

impl<B: Body<Data = Bytes, Error = Status>> Body for Timed<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let status = match inner.poll_frame(cx) {
            Poll::Ready(Some(Err(status))) => status,
            // One that always has more to give never waits, and would never end.
            Poll::Ready(Some(Ok(frame))) if frame.is_data() && this.expiry.deadline() <= Instant::now() => {
                exceeded(*this.given)
            }
            Poll::Ready(frame) => return Poll::Ready(frame),
            Poll::Pending => {
                std::task::ready!(this.expiry.poll(cx));
                exceeded(*this.given)
            }
        };
        this.inner.set(None);
        Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Fails only on metadata that no header can carry; then the end without trailers is an error all the same.
    let _ = status.add_header(&mut trailers);
    trailers
}
