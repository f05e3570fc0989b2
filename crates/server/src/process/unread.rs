//! Answers that nobody takes.
//!
//! hyper does not ask a body for more while it waits for the peer's window, so no clock inside a body runs then: a peer
//! that asks and does not read would hold everything behind its answer for as long as it likes.
//! So the clock runs outside: hyper gives each HTTP/2 stream a task of its own, and [`Tasks`] ends the task, and with it
//! the body, when its answer has waited too long. The body tells the task, whenever the two are left waiting, which of
//! them is waited for; a clock is made only for a peer that keeps us waiting.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use super::silence::Call;

/// Most that is handed to HTTP at a time, where the peer's window does not bound it: one frame of HTTP/2.
const SLICE_BYTES: usize = 16 * 1024;

/// What a deadline leaves to a peer that still reads, so that it learns its status instead of being cut off.
const GRACE: Duration = Duration::from_secs(1);

/// Response extension: when the answer must have been taken, as far as a deadline says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakeBy(pub Instant);

thread_local! {
    /// Until when the stream whose task runs now waits for its peer; nothing while it waits for its own answer.
    static PATIENCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Spawns tasks that end when their answers have waited too long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks;

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(Impatient { stream, patience: None, clock: None });
    }
}

pin_project! {
    struct Impatient<F> {
        #[pin]
        stream: F,
        patience: Option<Instant>,
        clock: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for Impatient<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        PATIENCE.set(*this.patience);
        let polled = this.stream.poll(cx);
        *this.patience = PATIENCE.take();
        if polled.is_ready() {
            return Poll::Ready(());
        }
        let Some(until) = *this.patience else { return Poll::Pending };
        let clock = this.clock.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if clock.deadline() != until {
            clock.as_mut().reset(until);
        }
        ready!(clock.as_mut().poll(cx));
        // The task's end drops the stream, which resets it and cancels whatever stands behind its body.
        tracing::debug!("an answer that nobody takes is dropped");
        Poll::Ready(())
    }
}

/// An answer on its way out: in slices, so that no more of it lies in HTTP's buffers than a slice.
pub(super) struct Outgoing {
    inner: Body,
    rest: Bytes,
    deadline: Option<Instant>,
    stall: Duration,
    _call: Call,
}

/// Every answer of a port passes here, and its call ends with it. One of which nothing is taken for `stall` is dropped.
pub(super) fn watch(response: Response<Body>, stall: Duration, call: Call) -> Response<Outgoing> {
    let deadline = response.extensions().get::<TakeBy>().map(|by| by.0 + GRACE);
    response.map(|inner| Outgoing { inner, rest: Bytes::new(), deadline, stall, _call: call })
}

impl Outgoing {
    /// Somebody has to take this before there is more.
    fn offer(&self) {
        let stalled = Instant::now() + self.stall;
        PATIENCE.set(Some(self.deadline.map_or(stalled, |deadline| deadline.min(stalled))));
    }

    fn slice(&mut self) -> Frame<Bytes> {
        self.offer();
        let length = self.rest.len().min(SLICE_BYTES);
        Frame::data(self.rest.split_to(length))
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.slice())));
        }
        // What is not there yet has its own clock.
        PATIENCE.set(None);
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else { return Poll::Ready(None) };
        Poll::Ready(Some(frame.map(|frame| match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                self.slice()
            }
            Err(trailers) => trailers,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body::Body as _;
    use http_body_util::{BodyExt, Full, StreamBody};
    use tokio::sync::Notify;

    use super::*;

    const STALL: Duration = Duration::from_secs(30);

    fn endless() -> Body {
        let chunk = || Ok::<_, Status>(Frame::data(Bytes::from_static(b"more")));
        Body::new(StreamBody::new(futures_util::stream::repeat_with(chunk)))
    }

    fn outgoing(inner: Body, deadline: Option<Duration>) -> Outgoing {
        let mut response = Response::new(inner);
        if let Some(after) = deadline {
            response.extensions_mut().insert(TakeBy(Instant::now() + after));
        }
        watch(response, STALL, Call::begin(&Arc::default())).into_body()
    }

    /// Seconds after which a task ends that takes a frame each time it is told to, and is told so `every` so often.
    async fn ends_after(deadline: Option<u64>, every: Option<u64>) -> u64 {
        let mut body = outgoing(endless(), deadline.map(Duration::from_secs));
        let (window, over) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let begun = Instant::now();
        let guard = Guard(Arc::clone(&over));
        let opened = Arc::clone(&window);
        Tasks.execute(async move {
            let _guard = guard;
            while body.frame().await.is_some() {
                opened.notified().await;
            }
        });
        if let Some(every) = every {
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(every)).await;
                    window.notify_one();
                }
            });
        }
        over.notified().await;
        begun.elapsed().as_secs()
    }

    struct Guard(Arc<Notify>);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_waits_no_longer_than_its_deadline_or_the_longest_stall() {
        for (deadline, every, expected) in
            [(None, None, 30), (Some(2), None, 3), (Some(90), None, 30), (Some(90), Some(20), 91)]
        {
            assert_eq!(ends_after(deadline, every).await, expected, "{deadline:?} {every:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_there_yet_is_not_the_peers_fault() {
        let mut body = outgoing(Body::new(StreamBody::new(futures_util::stream::pending::<Result<_, Status>>())), None);
        let over = Arc::new(Notify::new());
        let guard = Guard(Arc::clone(&over));
        Tasks.execute(async move {
            let _guard = guard;
            body.frame().await;
        });
        assert!(tokio::time::timeout(STALL * 10, over.notified()).await.is_err());
    }

    #[tokio::test]
    async fn large_answers_leave_in_slices_and_whole() {
        let whole = Bytes::from(vec![7; 3 * SLICE_BYTES + 1]);
        let mut body = outgoing(Body::new(Full::new(whole.clone())), None);
        assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
        let mut taken = Vec::new();
        while !body.is_end_stream() {
            let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(data.len() <= SLICE_BYTES);
            taken.extend_from_slice(&data);
        }
        assert_eq!(taken, whole);
    }
}
