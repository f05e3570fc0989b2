//! Connections that say nothing.
//!
//! Three clocks, of which one runs at a time: a new connection has a short time until its first byte, the head of a
//! request the same from *its* first byte, and a connection of HTTP/1 between two requests as long as clients keep one in
//! store. While a call is served none runs: what it waits for has clocks of its own.
//! hyper knows one clock for the head, which begins when the answer before has gone out, and would end idle connections
//! as early as slow heads. An HTTP/2 connection is pinged once it stands.
//!
//! And connections that still talk when we are done: to close one on which bytes lie unread resets it, and a client that
//! sends all before it reads would find no answer. What it sends is thrown away for a moment (RFC 9112, 9.6).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::ServerSettings;

/// By which a connection shows that it speaks HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client that still sends may take until it has read its answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the calls of a connection tell its reading side.
#[derive(Debug, Default)]
pub(super) struct Calls {
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// A request was answered before it had come.
    leaves_unread: AtomicBool,
}

/// A call, from the end of its head until its answer has been handed over.
#[derive(Debug)]
pub(super) struct Call(Arc<Calls>);

impl Call {
    pub(super) fn begin(calls: &Arc<Calls>) -> Self {
        calls.begun.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(calls))
    }

    /// Its request has not come to its end, and is not waited for.
    pub(super) fn leave_unread(&self) {
        self.0.leaves_unread.store(true, Ordering::Relaxed);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the peer may take its time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    FirstByte,
    Head,
    Served,
    NextRequest,
    Farewell,
}

/// A connection that is given up when it has been silent for too long.
pub(super) struct Silence<I> {
    inner: I,
    head: Duration,
    idle: Duration,
    calls: Arc<Calls>,
    /// Calls that were known to have begun.
    begun: usize,
    /// How much of the preface has come; nothing once something else has.
    preface: Option<usize>,
    wait: Wait,
    clock: Pin<Box<Sleep>>,
}

impl<I> Silence<I> {
    pub(super) fn new(inner: I, settings: &ServerSettings, calls: Arc<Calls>) -> Self {
        let (head, idle) = (settings.header_timeout, settings.idle_timeout);
        let clock = Box::pin(sleep(head));
        Self { inner, head, idle, calls, begun: 0, preface: Some(0), wait: Wait::FirstByte, clock }
    }

    fn is_http2(&self) -> bool {
        self.preface == Some(PREFACE.len())
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.is_http2() {
            return;
        }
        self.preface = self.preface.and_then(|known| {
            let length = bytes.len().min(PREFACE.len() - known);
            (PREFACE[known..known + length] == bytes[..length]).then_some(known + length)
        });
        self.note_calls();
        if matches!(self.wait, Wait::FirstByte | Wait::NextRequest) {
            self.wait_for(Wait::Head, self.head);
        }
    }

    /// Where the calls stand by now.
    fn note_calls(&mut self) {
        let (begun, ended) = (self.calls.begun.load(Ordering::Relaxed), self.calls.ended.load(Ordering::Relaxed));
        if begun != self.begun {
            (self.begun, self.wait) = (begun, Wait::Served);
        }
        if self.wait == Wait::Served && begun == ended {
            self.wait_for(Wait::NextRequest, self.idle);
        }
    }

    fn wait_for(&mut self, wait: Wait, time: Duration) {
        self.wait = wait;
        self.clock.as_mut().reset(Instant::now() + time);
    }

    /// Throws away what still comes, until the peer has hung up or the time is over.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()>
    where
        I: AsyncRead + Unpin,
    {
        let mut scratch = [0; 8 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.inner).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.clock.as_mut().poll(cx),
            }
            if self.clock.is_elapsed() || self.clock.deadline() <= Instant::now() {
                return Poll::Ready(());
            }
        }
    }

    /// An answer is still going out.
    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        if self.wait == Wait::NextRequest && matches!(written, Poll::Ready(Ok(_))) {
            self.wait = Wait::Served;
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Silence<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_read(cx, buffer) {
            self.received(&buffer.filled()[before..]);
            return Poll::Ready(result);
        }
        self.note_calls();
        if self.is_http2() || self.wait == Wait::Served {
            return Poll::Pending;
        }
        ready!(self.clock.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Silence<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.wrote(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wait != Wait::Farewell {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
            if !self.calls.leaves_unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            self.wait_for(Wait::Farewell, FAREWELL);
        }
        self.poll_farewell(cx).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, buffers);
        self.wrote(&written);
        written
    }
}
