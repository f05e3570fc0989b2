//! Requests' bodies on their way in over HTTP/1.
//!
//! The next request can be read from the connection only once this one has been, to its end. So it must be known, when the
//! answer goes out, whether that will be: a client that is not told otherwise sends its next request into a connection
//! that is about to be closed.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::problem::Problem;
use crate::reasons::BODY_BROKEN;

/// How often a rest that lies there already is asked for: a turn of the connection each, and a buffer of it at most.
const TURNS: usize = 8;

/// What has become of a request's body.
#[derive(Debug)]
enum State {
    /// It is being read, or was broken off.
    Open,
    /// It was read to its end.
    Read,
    /// Nobody wants the rest.
    Left(Incoming),
}

/// What the answer needs to know of the request's body.
#[derive(Debug)]
pub(super) struct Rest {
    state: Option<Arc<Mutex<State>>>,
    awaits_consent: bool,
}

/// Watches a body over HTTP/1; over HTTP/2 each call has a stream of its own.
pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Rest) {
    let awaits_consent = request.headers().contains_key(header::EXPECT);
    if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
        return (request.map(Body::new), Rest { state: None, awaits_consent });
    }
    let state = Arc::new(Mutex::new(State::Open));
    let rest = Rest { state: Some(Arc::clone(&state)), awaits_consent };
    (request.map(|body| Body::new(Arriving { body: Some(body), state })), rest)
}

impl Rest {
    /// Whether another request can follow: the body was read, or what was left of it has come already. To ask for the
    /// latter would tell a client that waits for consent to send it.
    pub(super) async fn has_ended(self) -> bool {
        let Some(state) = self.state else { return true };
        let state = mem::replace(&mut *state.lock().unwrap_or_else(PoisonError::into_inner), State::Open);
        match state {
            State::Read => true,
            State::Left(body) if !self.awaits_consent => is_at_hand(body).await,
            State::Left(_) | State::Open => false,
        }
    }
}

async fn is_at_hand(mut body: Incoming) -> bool {
    for _ in 0..TURNS {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await {
            Poll::Ready(None) => return true,
            Poll::Ready(Some(Ok(_))) if body.is_end_stream() => return true,
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(_))) => return false,
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    false
}

struct Arriving {
    body: Option<Incoming>,
    state: Arc<Mutex<State>>,
}

impl Arriving {
    fn become_(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            self.become_(if body.is_end_stream() { State::Read } else { State::Left(body) });
        }
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match ready!(Pin::new(body).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => {
                self.body = None;
                Poll::Ready(Some(Err(explain(error))))
            }
            None => {
                self.body = None;
                self.become_(State::Read);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

/// Bytes that are no body are their sender's fault; a connection that broke is nobody's.
fn explain(error: hyper::Error) -> Status {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    match cause {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof) => {
            let message = "the body is not what its length or its chunks say, or ends too early";
            Problem::new(Code::InvalidArgument, BODY_BROKEN, message).into()
        }
        _ => Status::from_error(Box::new(error)),
    }
}
