//! Calls that are made once more, from the beginning.
//!
//! A handler that finds, before anything has happened, that it worked on a view of the world that is out of date says so
//! with [`Repeat`]. The typical one is a transaction whose connection is older than the schema: it was rolled back, and
//! the next one gets a younger connection. Here is the one place that has the whole call in its hands, so that no use
//! case has to do this by itself, nor can forget to.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service, ServiceExt};

use super::is_open;
use crate::services::MAX_MESSAGE_BYTES;

/// A message with its prefix: what a call of one message can have sent.
const MOST_BYTES: usize = MAX_MESSAGE_BYTES + 5;

/// The source of a status whose call has changed nothing and may succeed when it is made once more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("to be repeated")]
pub struct Repeat;

impl Repeat {
    /// Marks a status.
    pub fn mark(status: &mut Status) {
        status.set_source(Arc::new(Self));
    }

    fn is_asked_for<B>(response: &Response<B>) -> bool {
        let status = response.extensions().get::<Status>();
        let source = status.filter(|status| status.code() != Code::Ok).and_then(std::error::Error::source);
        source.is_some_and(<dyn std::error::Error>::is::<Self>)
    }
}

/// Makes a call once more where its answer is marked with [`Repeat`], unless it is a stream that was not read to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RepeatLayer;

impl<S> Layer<S> for RepeatLayer {
    type Service = Repeats<S>;

    fn layer(&self, inner: S) -> Repeats<S> {
        Repeats { inner }
    }
}

/// What [`RepeatLayer`] makes of a service.
#[derive(Clone, Debug)]
pub(crate) struct Repeats<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Repeats<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // What asks for no token works on no data, and its streams may be long.
        if is_open(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        let (parts, body) = request.into_parts();
        let (again, kept) = (parts.clone(), Kept::default());
        let keeping = Keeping { body, kept: kept.clone() };
        let first = self.inner.call(Request::from_parts(parts, Body::new(keeping)));
        let inner = self.inner.clone();
        Box::pin(async move {
            let response = first.await?;
            let kept = kept.close();
            match Repeat::is_asked_for(&response).then_some(kept).flatten() {
                Some(body) => inner.oneshot(Request::from_parts(again, Body::new(body))).await,
                None => Ok(response),
            }
        })
    }
}

/// What has been read of a body, until the call is answered.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    read: VecDeque<Bytes>,
    bytes: usize,
    /// That is all of it.
    is_whole: bool,
    /// Nothing more is noted: the call is answered, or there is more than one message.
    is_closed: bool,
}

impl Notes {
    fn close(&mut self) -> VecDeque<Bytes> {
        self.is_closed = true;
        std::mem::take(&mut self.read)
    }
}

impl Kept {
    fn note(&self, read: Option<&Bytes>, ended: bool) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.is_closed {
            return;
        }
        notes.bytes += read.map_or(0, Bytes::len);
        if notes.bytes > MOST_BYTES {
            notes.close();
            return;
        }
        notes.read.extend(read.cloned());
        notes.is_whole |= ended;
    }

    /// Keeps nothing from now on; answers the body, if it was read to its end.
    fn close(&self) -> Option<Whole> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = notes.is_whole && !notes.is_closed;
        let read = notes.close();
        is_whole.then_some(Whole(read))
    }
}

/// A body that is kept while it is read. The bytes are shared, not copied.
struct Keeping {
    body: Body,
    kept: Kept,
}

impl http_body::Body for Keeping {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let failed = matches!(frame, Some(Err(_)));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
        self.kept.note(data, !failed && (frame.is_none() || self.body.is_end_stream()));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that was read before.
struct Whole(VecDeque<Bytes>);

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use http_body_util::{BodyExt, StreamBody};
    use tower::service_fn;

    use super::*;

    fn answer(code: Code, marked: bool) -> Response<Body> {
        let mut status = Status::new(code, "as told");
        if marked {
            Repeat::mark(&mut status);
        }
        status.into_http()
    }

    fn frames() -> Body {
        let frames = ["one", "two"].map(|text| Ok::<_, Status>(Frame::data(Bytes::from(text))));
        Body::new(StreamBody::new(futures_util::stream::iter(frames)))
    }

    /// How often a service is called that gives these answers in their order, having read the body or not.
    async fn calls(answers: [(Code, bool); 3], reads: bool) -> (u32, String) {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let service = service_fn(move |request: Request<Body>| {
            let nth = counted.fetch_add(1, Ordering::Relaxed) as usize;
            async move {
                assert_eq!(request.headers()["x-kept"], "yes");
                if reads {
                    assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "onetwo");
                }
                let (code, marked) = answers[nth];
                Ok::<_, Infallible>(answer(code, marked))
            }
        });
        let request = Request::builder().header("x-kept", "yes").body(frames()).unwrap();
        let response = RepeatLayer.layer(service).oneshot(request).await.unwrap();
        (calls.load(Ordering::Relaxed), response.headers()["grpc-status"].to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_call_is_made_once_more_where_it_asks_for_it_and_never_a_third_time() {
        let (fine, failed, outdated) = ((Code::Ok, false), (Code::Unavailable, false), (Code::Unavailable, true));
        assert_eq!(calls([fine; 3], true).await, (1, "0".to_owned()));
        assert_eq!(calls([failed; 3], true).await, (1, "14".to_owned()));
        assert_eq!(calls([outdated, fine, fine], true).await, (2, "0".to_owned()));
        assert_eq!(calls([outdated, failed, fine], true).await, (2, "14".to_owned()));
        assert_eq!(calls([outdated; 3], true).await, (2, "14".to_owned()));
    }

    #[test]
    fn nothing_is_kept_beyond_one_message_nor_after_the_answer() {
        let (half, kept) = (Bytes::from(vec![0; MOST_BYTES / 2 + 1]), Kept::default());
        kept.note(Some(&half), false);
        assert_eq!(kept.0.lock().unwrap().read.len(), 1);
        kept.note(Some(&half), true);
        assert!(kept.0.lock().unwrap().read.is_empty());
        assert!(kept.close().is_none());
        let kept = Kept::default();
        kept.note(Some(&half), true);
        assert_eq!(kept.close().unwrap().0.len(), 1);
        kept.note(Some(&half), true);
        assert!(kept.0.lock().unwrap().read.is_empty());
    }

    #[tokio::test]
    async fn a_body_that_was_not_read_to_its_end_cannot_be_sent_again() {
        let outdated = (Code::Unavailable, true);
        assert_eq!(calls([outdated; 3], false).await, (1, "14".to_owned()));
    }
}
