//! Counts logical calls, however many attempts each takes, and those that the caller gave up.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::stage::{Call, Stage};
use crate::Upstream;

pub(super) struct Counted<S> {
    inner: S,
    upstream: Upstream,
}

impl<S> Counted<S> {
    pub(super) fn new(inner: S, upstream: Upstream) -> Self {
        Self { inner, upstream }
    }
}

impl<S: Stage> Stage for Counted<S> {
    type Body = CountedBody<S::Body>;

    async fn call(&self, call: &mut Call) -> Result<Response<Self::Body>, Status> {
        let mut verdict = Verdict { upstream: self.upstream.clone(), ended: None };
        let started = call.facts.started;
        let result = self.inner.call(call).await;
        // What the stack refuses at once says nothing about how long answers take.
        let is_answer = result.as_ref().err().is_none_or(|status| status.code() == Code::DeadlineExceeded);
        if is_answer && !call.facts.waits {
            let now = Instant::now();
            self.upstream.shared.latencies.record(now.saturating_duration_since(started), now);
        }
        match &result {
            Ok(response) => verdict.see(response.headers()),
            Err(_) => verdict.ended = Some(false),
        }
        result.map(|response| response.map(|inner| CountedBody { inner, verdict }))
    }
}

/// Counts when it is dropped, so that a call that is given up is counted, too: as cancelled, unless something was seen.
struct Verdict {
    upstream: Upstream,
    ended: Option<bool>,
}

impl Verdict {
    fn see(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get("grpc-status") {
            self.ended = Some(status == "0");
        }
    }
}

impl Drop for Verdict {
    fn drop(&mut self) {
        let counters = &self.upstream.shared.counters;
        match self.ended {
            Some(true) => counters.ok.add(),
            Some(false) => counters.errors.add(),
            None => counters.cancelled.add(),
        }
    }
}

pin_project! {
    pub(super) struct CountedBody<B> {
        #[pin]
        inner: B,
        verdict: Verdict,
    }
}

impl<B: Body<Data = Bytes, Error = Status>> Body for CountedBody<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = std::task::ready!(this.inner.poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.verdict.see(trailers);
                }
            }
            // Without a status the end is an error to every gRPC client.
            None if this.verdict.ended.is_some() => {}
            None | Some(Err(_)) => this.verdict.ended = Some(false),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
