use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::trailers;

pin_project! {
    /// A response's body under a deadline. Whatever breaks it off becomes trailers with a status, for headers are long gone.
    pub struct Timed<B> {
        // None once it is over: dropping it is what cancels the work behind.
        #[pin]
        inner: Option<B>,
        // Costs nothing until it is polled, which is when the body is not there yet.
        #[pin]
        expiry: Sleep,
        given: Duration,
        exceeded: fn(Duration) -> Status,
    }
}

impl<B> Timed<B> {
    /// Ends at the `deadline` with what `exceeded` says of a call that was given so long.
    pub fn new(inner: B, deadline: Instant, given: Duration, exceeded: fn(Duration) -> Status) -> Self {
        Self { inner: Some(inner), expiry: sleep_until(deadline), given, exceeded }
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
                (this.exceeded)(*this.given)
            }
            Poll::Ready(frame) => return Poll::Ready(frame),
            Poll::Pending => {
                ready!(this.expiry.poll(cx));
                (this.exceeded)(*this.given)
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

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, Stream};
    use http::HeaderMap;
    use http_body_util::{BodyExt, StreamBody};
    use tonic::Code;

    use super::super::code_of;
    use super::*;

    /// How a body ends whose time is over.
    async fn end(frames: impl Stream<Item = Result<Frame<Bytes>, Status>>) -> Option<Code> {
        let exceeded = |given: Duration| Status::deadline_exceeded(format!("{given:?}"));
        let timed = Timed::new(StreamBody::new(frames), Instant::now(), Duration::from_secs(1), exceeded);
        let read = Box::pin(timed).collect().await.expect("an error becomes trailers");
        code_of(read.trailers()?)
    }

    #[tokio::test]
    async fn whatever_breaks_it_off_is_told_in_trailers() {
        let done = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        assert_eq!(end(stream::pending()).await, Some(Code::DeadlineExceeded));
        assert_eq!(end(stream::repeat_with(|| Ok(Frame::data(Bytes::new())))).await, Some(Code::DeadlineExceeded));
        assert_eq!(end(stream::iter([Err(Status::aborted("x"))])).await, Some(Code::Aborted));
        assert_eq!(end(stream::iter([Ok(Frame::trailers(done))])).await, Some(Code::Ok));
        assert_eq!(end(stream::empty()).await, None);
    }
}
