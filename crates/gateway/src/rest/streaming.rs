//! A server stream in answer: a message a line, or an event each ([`Form`]).
//!
//! Nothing is read from the service before the caller has taken what came before, so a slow reader slows the service
//! down instead of filling the gateway's memory, and a reader that leaves cancels the call.
//! A stream that fails after its first message ends with a line, or an event, that says so, since its HTTP status is long
//! gone. A stream whose deadline passes fails so, too: the client stack says it in the stream's trailers. So does one that
//! is read too slowly.

mod form;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use crm_shares::Holder;
use crm_transcode::{Rpc, Transcoder};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tonic::{Code, Status, body::Body};

pub(super) use self::form::{Form, table_of};
use super::{messages::Messages, refusal::Refusal, unary::unreadable};
use crate::{
    answer,
    desk::{Desk, Turn},
    gateway::Gateway,
    pace::Pace,
};

/// As much of what has arrived already goes into one frame; a message larger than this goes alone.
const ENOUGH_BYTES: usize = 32 * 1024;
/// How long a reader of events waits for a first one before it is told that the stream has begun. What fails sooner
/// fails with an HTTP status, after which a browser does not come again.
const BEGINS_WITHIN: Duration = Duration::from_secs(1);
/// A stream of events that has nothing to say for so long says that: proxies close what is silent for a minute or less.
const SILENT_AT_MOST: Duration = Duration::from_secs(15);
/// What says nothing.
const COMMENT: &[u8] = b":\n\n";
/// How long a browser waits, in milliseconds, before it comes again.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// Waits for the first message, so that a call that fails at once fails with an HTTP status.
pub(crate) async fn answer(
    gateway: &Gateway,
    rpc: Arc<Rpc>,
    form: Form,
    mut messages: Messages,
    holder: Holder,
) -> Result<Response<Body>, Refusal> {
    let first = match form {
        Form::Lines | Form::Table => Some(messages.next().await?),
        Form::Events => timeout(BEGINS_WITHIN, messages.next()).await.ok().transpose()?,
    };
    let of_gateway = (Arc::clone(&gateway.transcoder), gateway.desk.clone(), Pace::new(gateway.limits.pace));
    let mut stream = Stream::new(of_gateway, rpc, form, messages, holder);
    match first {
        Some(Some(first)) if Desk::is_large(&first) => stream.wait_for_turn(first),
        Some(Some(first)) => stream.ready.extend_from_slice(&stream.show(&first).map_err(|error| unreadable(&error))?),
        Some(None) => stream.end(),
        None => {}
    }
    Ok(respond(form, stream))
}

/// No cache has any use for it, and a proxy that collected it (nginx) would hold back what is told now.
fn respond(form: Form, stream: Stream) -> Response<Body> {
    let mut response = answer::with_type(form.content_type(), Bytes::new());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response.map(|_| Body::new(stream))
}

/// Where a stream stands.
enum State {
    /// More may come.
    Open,
    /// Its status is known and has yet to be told in the trailers.
    Ended(Code),
    /// It is broken off, for there is no way to say in it that it has failed.
    Broken(Status),
    /// Everything is said.
    Done,
}

struct Stream {
    transcoder: Arc<Transcoder>,
    desk: Desk,
    rpc: Arc<Rpc>,
    form: Form,
    messages: Messages,
    holder: Holder,
    state: State,
    ready: BytesMut,
    /// A message that waits for its turn; nothing is read before it has had it.
    large: Option<(Bytes, BoxFuture<'static, Turn>)>,
    /// For events, until when nothing need be said.
    silence: Option<Pin<Box<Sleep>>>,
    pace: Pace,
}

impl Stream {
    fn new(
        (transcoder, desk, pace): (Arc<Transcoder>, Desk, Pace),
        rpc: Arc<Rpc>,
        form: Form,
        messages: Messages,
        holder: Holder,
    ) -> Self {
        let tells_silence = form == Form::Events;
        let ready = if tells_silence { BytesMut::from(RETRY) } else { BytesMut::new() };
        let silence = tells_silence.then(|| Box::pin(sleep(SILENT_AT_MOST)));
        Self { transcoder, desk, rpc, form, messages, holder, state: State::Open, ready, large: None, silence, pace }
    }

    fn show(&self, message: &[u8]) -> Result<Vec<u8>, crm_transcode::Error> {
        self.form.show(&self.transcoder, &self.rpc, message)
    }

    /// Adds the next message, or notes that there is none.
    fn take(&mut self, next: Result<Option<Bytes>, Status>) {
        match next {
            Ok(Some(message)) if Desk::is_large(&message) => self.wait_for_turn(message),
            Ok(Some(message)) => self.add(self.show(&message)),
            Ok(None) => self.end(),
            Err(status) => self.fail(&status),
        }
    }

    fn end(&mut self) {
        self.ready.extend_from_slice(self.form.end());
        self.state = State::Ended(Code::Ok);
    }

    fn add(&mut self, shown: Result<Vec<u8>, crm_transcode::Error>) {
        match shown {
            Ok(shown) if self.ready.is_empty() => self.ready = Bytes::from(shown).into(),
            Ok(shown) => self.ready.extend_from_slice(&shown),
            Err(error) => self.fail(&unreadable(&error)),
        }
    }

    fn fail(&mut self, status: &Status) {
        match self.form.fail(&self.transcoder, status) {
            Some(last) => {
                self.ready.extend_from_slice(&last);
                self.state = State::Ended(status.code());
            }
            None => self.state = State::Broken(status.clone()),
        }
    }

    fn wait_for_turn(&mut self, message: Bytes) {
        let (desk, holder, of_turn) = (self.desk.clone(), self.holder, message.clone());
        self.large = Some((message, Box::pin(async move { desk.turn_to_write(&of_turn, holder).await })));
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ready.is_empty() && self.large.is_none() {
            let next = ready!(self.messages.poll_next(cx));
            self.take(next);
        }
        if self.ready.is_empty()
            && let Some((message, turn)) = &mut self.large
        {
            let turn = ready!(turn.as_mut().poll(cx));
            let message = std::mem::take(message);
            self.large = None;
            self.add(turn.work(|| self.show(&message)));
        }
        self.take_what_has_arrived();
        Poll::Ready(())
    }

    fn take_what_has_arrived(&mut self) {
        while matches!(self.state, State::Open) && self.large.is_none() && self.ready.len() < ENOUGH_BYTES {
            match self.messages.take_ready() {
                Ok(Some(message)) => self.take(Ok(Some(message))),
                Ok(None) => return,
                Err(status) => self.fail(&status),
            }
        }
    }

    /// The end of a silence that was long enough.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(silence) = &mut self.silence else { return Poll::Pending };
        ready!(silence.as_mut().poll(cx));
        self.ready.extend_from_slice(COMMENT);
        Poll::Ready(())
    }

    fn offer(&mut self) -> Frame<Bytes> {
        if let Some(silence) = &mut self.silence {
            silence.as_mut().reset(Instant::now() + SILENT_AT_MOST);
        }
        let told = self.ready.split().freeze();
        self.pace.offer(told.len());
        Frame::data(told)
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let pace = self.pace.taken();
        if let (Err(slow), true) = (pace, matches!(self.state, State::Open)) {
            self.fail(&slow);
            // Ends the work behind, which need not wait for the last word to be read.
            self.messages.abandon();
        }
        if matches!(self.state, State::Open) && self.poll_fill(cx).is_pending() {
            ready!(self.poll_silence(cx));
        }
        if !self.ready.is_empty() {
            return Poll::Ready(Some(Ok(self.offer())));
        }
        Poll::Ready(match std::mem::replace(&mut self.state, State::Done) {
            State::Ended(code) => Some(Ok(Frame::trailers(trailers(code)))),
            State::Broken(status) => Some(Err(status)),
            State::Open | State::Done => None,
        })
    }
}

fn trailers(code: Code) -> HeaderMap {
    HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from(i32::from(code)))])
}

#[cfg(test)]
mod tests {
    use crm_transcode::frame;
    use futures_util::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::pace::PaceSettings;

    /// A stream of accounts with names of such lengths, and then nothing more to say.
    fn accounts(form: Form, lengths: &'static [usize], desk: &Desk) -> Stream {
        let transcoder = Arc::new(Transcoder::new(crm_proto::DESCRIPTORS).expect("descriptors"));
        let rpc = transcoder.rpc("/crm.customers.v1.AccountService/ExportAccounts").expect("known").clone();
        let account = |length: &usize| {
            let name = "x".repeat(*length);
            let account = crm_proto::customers::Account { name, ..Default::default() };
            Ok::<_, Status>(Frame::data(frame::encode(&prost::Message::encode_to_vec(&account)).expect("short")))
        };
        let body = Body::new(StreamBody::new(stream::iter(lengths).map(account).chain(stream::pending())));
        let messages = Messages::new(Response::new(body), 1 << 20).expect("messages");
        Stream::new((transcoder, desk.clone(), Pace::new(PaceSettings::default())), rpc, form, messages, Some(1))
    }

    async fn next(stream: &mut Stream) -> String {
        let frame = stream.frame().await.expect("more").expect("no error");
        String::from_utf8(frame.into_data().expect("data").into()).expect("text")
    }

    #[tokio::test(start_paused = true)]
    async fn events_tell_that_there_is_nothing_to_tell_and_lines_do_not() {
        let (desk, begun) = (Desk::new(2), Instant::now());
        let mut events = accounts(Form::Events, &[1], &desk);
        assert_eq!(next(&mut events).await, "retry: 2000\n\n");
        assert!(next(&mut events).await.starts_with("data: {"));
        for times in 1..4 {
            assert_eq!(next(&mut events).await, ":\n\n");
            assert_eq!(begun.elapsed().as_secs(), times * 15);
        }
        let mut lines = accounts(Form::Lines, &[1], &desk);
        assert!(next(&mut lines).await.starts_with('{'));
        assert!(timeout(SILENT_AT_MOST * 100, next(&mut lines)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_message_waits_for_its_turn_and_keeps_its_place_in_the_stream() {
        let desk = Desk::new(2);
        let held = desk.turn_to_write(&[0; 100_000], Some(1)).await;
        let mut stream = accounts(Form::Lines, &[1, 50_000, 2], &desk);
        assert!(next(&mut stream).await.contains("\"x\""));
        assert!(timeout(Duration::from_secs(100), next(&mut stream)).await.is_err());
        drop(held);
        assert!(next(&mut stream).await.len() > 50_000);
        assert!(next(&mut stream).await.contains("\"xx\""));
    }
}
