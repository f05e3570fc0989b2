//! How fast cancelled calls leave a connection.
//!
//! A server sees a stream that is reset before it has been taken up as an attack ("rapid reset", CVE-2023-44487): h2, and so
//! hyper and tonic, end a connection with all its calls at the twenty-first. A gateway whose callers leave early would do
//! just that to its replicas. So a call that is given up before its answer has begun waits here with its stream open, until
//! its peer is known to have taken it up; only a few may go without.
//!
//! Peers take streams up in the order in which they were opened. So whoever answers one has taken up all before it: under
//! traffic nobody waits long. Where there are no answers there are pings. A peer that reads a ping has read what came
//! before it, and between two pings it has taken up one stream at least, if any was there.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use h2::client::ResponseFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::places::Place;

/// Resets that may be under way to a peer that may not have taken up their streams: half of what h2 bears.
const MOST_UNSURE: usize = 10;
/// More than this many streams wait only for a peer that is all but dead: its connection is given no more calls.
const MOST_WAITING: usize = 1_000;
/// Pause between two pings while streams wait.
const PACE: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Resets {
    /// The last stream that was opened.
    opened: AtomicU32,
    /// The last one that the peer has surely taken up.
    taken: AtomicU32,
    waiting: AtomicUsize,
    room: Mutex<Room>,
    arrival: Notify,
}

#[derive(Default)]
struct Room {
    waiting: Vec<Left>,
    /// Streams that were reset although their peer may not have taken them up.
    unsure: Vec<u32>,
}

/// A stream whose caller has left. Its end resets the stream, unless that has ended by itself.
pub(super) struct Left {
    pub(super) stream: u32,
    pub(super) response: ResponseFuture,
    pub(super) place: Option<Place>,
}

impl Resets {
    pub(super) fn opened(&self, stream: u32) {
        self.opened.fetch_max(stream, Ordering::Relaxed);
    }

    /// The peer answered on this stream.
    pub(super) fn answered(&self, stream: u32) {
        if self.taken.fetch_max(stream, Ordering::Relaxed) < stream && self.is_waited() {
            self.let_go();
        }
    }

    /// Takes in a stream whose caller has left; false when there are too many.
    pub(super) fn leave(&self, left: Left) -> bool {
        let mut room = self.room.lock();
        let Some(left) = room.dismiss(left, self.taken.load(Ordering::Relaxed)) else { return true };
        room.waiting.push(left);
        self.waiting.store(room.waiting.len(), Ordering::Relaxed);
        self.arrival.notify_one();
        room.waiting.len() < MOST_WAITING
    }

    fn is_waited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn let_go(&self) {
        let mut room = self.room.lock();
        self.taken.fetch_max(room.hear(), Ordering::Relaxed);
        let taken = self.taken.load(Ordering::Relaxed);
        for left in std::mem::take(&mut room.waiting) {
            if let Some(left) = room.dismiss(left, taken) {
                room.waiting.push(left);
            }
        }
        self.waiting.store(room.waiting.len(), Ordering::Relaxed);
    }

    /// Until another ping is due: at once while streams wait, else after this long.
    pub(super) async fn rest(&self, longest: Duration) {
        if self.is_waited() {
            tokio::time::sleep(PACE).await;
        } else {
            let _ = tokio::time::timeout(longest, self.arrival.notified()).await;
        }
    }

    /// The last stream that a ping which is sent later than the next one comes behind: the next may overtake what waits to
    /// be written.
    pub(super) fn mark(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }

    /// A ping was answered that came behind this stream: one stream more has been taken up.
    pub(super) fn ponged(&self, mark: u32) {
        let taken = self.taken.load(Ordering::Relaxed);
        // A client's streams have odd numbers.
        self.taken.fetch_max(mark.min((taken + 1) | 1), Ordering::Relaxed);
        if self.is_waited() {
            self.let_go();
        }
    }
}

impl Room {
    /// Lets go whatever was answered, or has ended, while it waited; tells the last that was answered.
    fn hear(&mut self) -> u32 {
        let mut last = 0;
        self.waiting.retain_mut(|left| match left.poll_answer() {
            Poll::Pending => true,
            Poll::Ready(is_answer) => {
                last = if is_answer { last.max(left.stream) } else { last };
                false
            }
        });
        last
    }

    /// Lets a stream go, if it may.
    fn dismiss(&mut self, left: Left, taken: u32) -> Option<Left> {
        if self.unsure.len() >= MOST_UNSURE {
            self.unsure.retain(|stream| *stream > taken);
        }
        if self.unsure.len() >= MOST_UNSURE {
            return Some(left);
        }
        self.unsure.push(left.stream);
        None
    }
}

impl Left {
    /// Whether it ended with an answer, which may still go on, or without.
    fn poll_answer(&mut self) -> Poll<bool> {
        let answer = Pin::new(&mut self.response).poll(&mut Context::from_waker(Waker::noop()));
        answer.map(|answer| answer.is_ok())
    }
}
