//! A server stream in answer: newline-delimited JSON, a message a line.
//!
//! Nothing is read from the service before the caller has taken what came before, so a slow reader slows the service
//! down instead of filling the gateway's memory, and a reader that leaves cancels the call.
//! A stream that fails after its first message ends with a line `{"error":{…}}`, since its HTTP status is long gone.
//! A stream whose deadline passes fails so, too: the client stack says it in the stream's trailers. So does one that is
//! read too slowly.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use crm_transcode::{NDJSON, Rpc, Transcoder};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use tonic::{Code, Status, body::Body};

use super::{messages::Messages, refusal::Refusal, unary::unreadable};
use crate::{
    answer,
    pace::{Pace, PaceSettings},
};

/// As much of what has arrived already goes into one frame; a message larger than this goes alone.
const ENOUGH_BYTES: usize = 32 * 1024;

/// Waits for the first message, so that a call that fails at once fails with an HTTP status.
pub(crate) async fn answer(
    transcoder: Arc<Transcoder>,
    rpc: Arc<Rpc>,
    mut messages: Messages,
    pace: PaceSettings,
) -> Result<Response<Body>, Refusal> {
    let first = messages.next().await?;
    let state = if first.is_some() { State::Open } else { State::Ended(Code::Ok) };
    let pace = Pace::new(pace);
    let mut lines = Lines { transcoder, rpc, messages, state, ready: BytesMut::new(), pace };
    if let Some(first) = first {
        lines.ready = lines.line(&first).map_err(|error| unreadable(&error))?;
    }
    let mut response = answer::with_type(NDJSON, Bytes::new());
    *response.body_mut() = Body::new(lines);
    Ok(response)
}

/// Where a stream stands.
enum State {
    /// More may come.
    Open,
    /// Its status is known and has yet to be told in the trailers.
    Ended(Code),
    /// Everything is said.
    Done,
}

struct Lines {
    transcoder: Arc<Transcoder>,
    rpc: Arc<Rpc>,
    messages: Messages,
    state: State,
    ready: BytesMut,
    pace: Pace,
}

impl Lines {
    fn line(&self, message: &[u8]) -> Result<BytesMut, crm_transcode::Error> {
        Ok(Bytes::from(self.transcoder.response_line(&self.rpc, message)?).into())
    }

    /// Adds the next message's line, or notes that there is none.
    fn take(&mut self, next: Result<Option<Bytes>, Status>) {
        let line = match next {
            Ok(Some(message)) => self.line(&message).map_err(|error| unreadable(&error)),
            Ok(None) => {
                self.state = State::Ended(Code::Ok);
                return;
            }
            Err(status) => Err(status),
        };
        match line {
            Ok(line) if self.ready.is_empty() => self.ready = line,
            Ok(line) => self.ready.extend_from_slice(&line),
            Err(status) => self.fail(&status),
        }
    }

    fn fail(&mut self, status: &Status) {
        let line = self.transcoder.status_line(status.code().into(), status.message(), status.details());
        self.ready.extend_from_slice(&line);
        self.state = State::Ended(status.code());
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ready.is_empty() {
            let next = ready!(self.messages.poll_next(cx));
            self.take(next);
        }
        self.take_what_has_arrived();
        Poll::Ready(())
    }

    fn take_what_has_arrived(&mut self) {
        while matches!(self.state, State::Open) && self.ready.len() < ENOUGH_BYTES {
            match self.messages.take_ready() {
                Ok(Some(message)) => self.take(Ok(Some(message))),
                Ok(None) => return,
                Err(status) => self.fail(&status),
            }
        }
    }
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let pace = self.pace.taken();
        if let (Err(slow), true) = (pace, matches!(self.state, State::Open)) {
            self.fail(&slow);
            // Ends the work behind, which need not wait for the last line to be read.
            self.messages.abandon();
        }
        if matches!(self.state, State::Open) {
            ready!(self.poll_fill(cx));
        }
        if !self.ready.is_empty() {
            let lines = self.ready.split().freeze();
            self.pace.offer(lines.len());
            return Poll::Ready(Some(Ok(Frame::data(lines))));
        }
        Poll::Ready(match std::mem::replace(&mut self.state, State::Done) {
            State::Ended(code) => Some(Ok(Frame::trailers(trailers(code)))),
            State::Open | State::Done => None,
        })
    }
}

fn trailers(code: Code) -> HeaderMap {
    HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from(i32::from(code)))])
}
