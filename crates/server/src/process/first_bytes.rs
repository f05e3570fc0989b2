use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Length of HTTP/2's preface, by which a connection shows what it speaks.
const PREFACE_BYTES: usize = 24;

/// A connection that must show what it speaks within a time.
///
/// hyper bounds how long HTTP/1 headers take, and pings an HTTP/2 connection once it stands.
/// Before that it waits for ever: a peer that connects and says nothing would hold a slot.
pub(super) struct FirstBytes<I> {
    inner: I,
    /// Bytes still to come, and the clock; nothing once they have come.
    waiting: Option<(usize, Pin<Box<Sleep>>)>,
}

impl<I> FirstBytes<I> {
    pub(super) fn new(inner: I, timeout: Duration) -> Self {
        Self { inner, waiting: Some((PREFACE_BYTES, Box::pin(sleep(timeout)))) }
    }

    fn received(&mut self, bytes: usize) {
        self.waiting = self.waiting.take().filter(|(left, _)| bytes < *left).map(|(left, clock)| (left - bytes, clock));
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for FirstBytes<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_read(cx, buffer) {
            self.received(buffer.filled().len() - before);
            return Poll::Ready(result);
        }
        let Some((_, clock)) = &mut self.waiting else { return Poll::Pending };
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FirstBytes<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }
}
