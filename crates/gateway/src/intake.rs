//! Requests that are taken in before a replica hears of them: how much of the process's memory they may fill together.
//!
//! Each is bounded on its own, but thousands of slow callers may each have sent most of what one may send.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Status, body::Body};

use crate::reasons;

/// Room for requests, in bytes.
#[derive(Debug)]
pub(crate) struct Intake {
    free: Arc<Semaphore>,
}

/// Room that is taken up until this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Option<OwnedSemaphorePermit>);

impl Intake {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))) }
    }

    /// A body whose bytes take up room as they come; it fails when there is none.
    pub(crate) fn measure(&self, body: Body) -> Measured {
        Measured { body, free: Arc::clone(&self.free), held: Held(None) }
    }
}

/// A request's body that is being taken in.
pub(crate) struct Measured {
    body: Body,
    free: Arc<Semaphore>,
    held: Held,
}

impl Measured {
    /// What has not come yet, unmeasured, and the room that is taken up by what has.
    pub(crate) fn into_rest(self) -> (Body, Held) {
        (self.body, self.held)
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Status> {
        let bytes = u32::try_from(bytes).map_err(|_| reasons::overloaded())?;
        let more = Arc::clone(&self.free).try_acquire_many_owned(bytes).map_err(|_| reasons::overloaded())?;
        match &mut self.held.0 {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => 0,
        };
        match self.hold(length) {
            Ok(()) => Poll::Ready(frame),
            Err(refused) => Poll::Ready(Some(Err(refused))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use tonic::Code;

    use super::*;

    fn body(length: usize) -> Body {
        Body::new(Full::new(Bytes::from(vec![0; length])))
    }

    #[tokio::test]
    async fn what_is_taken_in_takes_up_room_until_it_is_let_go() {
        let intake = Intake::new(10);
        let mut first = intake.measure(body(6));
        assert_eq!((&mut first).collect().await.expect("room").to_bytes().len(), 6);
        let refused = intake.measure(body(5)).collect().await.expect_err("no room");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let (_, held) = first.into_rest();
        assert!(intake.measure(body(5)).collect().await.is_err());
        drop(held);
        assert!(intake.measure(body(10)).collect().await.is_ok());
    }
}
