//! Messages that are held whole for a caller: how much of the process's memory they may fill together.
//!
//! Each is bounded on its own, but thousands of slow callers may each have sent most of what one may send, or read little
//! of what one may be answered. What there is is shared by tenant: one that stalls leaves room for the others.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use crm_server::shares;
use crm_shares::{Holder, Share, Shares};
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};

/// Room for messages, in bytes.
#[derive(Debug)]
pub(crate) struct Intake {
    room: Shares,
    what: &'static str,
}

impl Intake {
    /// `what` says what there may be too much of.
    pub(crate) fn new(bytes: usize, what: &'static str) -> Self {
        Self { room: Shares::new(bytes), what }
    }

    /// A body whose bytes take up room as they come; it fails when there is none.
    pub(crate) fn measure(&self, body: Body, holder: Holder) -> Result<Measured, Status> {
        self.measure_beyond(0, body, holder)
    }

    /// The same, for a body that has room for so many bytes already.
    pub(crate) fn measure_beyond(&self, free: usize, body: Body, holder: Holder) -> Result<Measured, Status> {
        Ok(Measured { body, held: self.hold(0, holder)?, came: 0, free, what: self.what })
    }

    /// Enlarges what is held to so many bytes.
    pub(crate) fn enlarge(&self, held: &mut Share, bytes: usize) -> Result<(), Status> {
        Ok(held.grow_to(bytes).map_err(|refused| shares::refuse(refused, self.what))?)
    }

    /// Room for so many bytes.
    pub(crate) fn hold(&self, bytes: usize, holder: Holder) -> Result<Share, Status> {
        Ok(self.room.take(holder, bytes).map_err(|refused| shares::refuse(refused, self.what))?)
    }
}

/// A body that is being taken in.
pub(crate) struct Measured {
    body: Body,
    held: Share,
    came: usize,
    free: usize,
    what: &'static str,
}

impl Measured {
    /// The room that is taken up by what has come.
    pub(crate) fn into_held(self) -> Share {
        self.held
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
        self.came += length;
        let beyond = self.came.saturating_sub(self.free);
        match self.held.grow_to(beyond) {
            Ok(()) => Poll::Ready(frame),
            Err(refused) => Poll::Ready(Some(Err(shares::refuse(refused, self.what).into()))),
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

    async fn take_in(intake: &Intake, length: usize, holder: Holder) -> Result<Share, Status> {
        let mut body = intake.measure(Body::new(Full::new(Bytes::from(vec![0; length]))), holder)?;
        (&mut body).collect().await?;
        Ok(body.into_held())
    }

    #[tokio::test]
    async fn what_is_taken_in_takes_up_room_until_it_is_let_go() {
        let intake = Intake::new(10, "bytes");
        let held = take_in(&intake, 6, None).await.expect("room");
        let refused = take_in(&intake, 5, None).await.expect_err("no room");
        assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "too many bytes"));
        drop(held);
        take_in(&intake, 10, None).await.expect("all of it");
    }

    #[tokio::test]
    async fn one_tenant_leaves_room_for_the_others() {
        let intake = Intake::new(100, "bytes");
        let _held = take_in(&intake, 50, Some(1)).await.expect("room");
        let refused = take_in(&intake, 1, Some(1)).await.expect_err("no room");
        assert_eq!(refused.message(), "too many bytes for one tenant; others find room");
        take_in(&intake, 25, Some(2)).await.expect("room");
    }
}
