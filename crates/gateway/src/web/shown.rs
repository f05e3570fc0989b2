//! An answer whose trailers are a part of its body.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;
use tonic::{Status, body::Body};

use super::kind::Kind;

/// The flag of a frame that holds trailers.
const TRAILERS: u8 = 0x80;

/// gRPC's frames as they come, and one with the trailers behind them.
pub(super) struct Shown {
    body: Body,
    kind: Kind,
    is_done: bool,
}

impl Shown {
    pub(super) fn new(body: Body, kind: Kind) -> Self {
        Self { body, kind, is_done: false }
    }

    /// What has come goes out at once, so that text is padded where it ends for now.
    fn write(&self, bytes: Bytes) -> Frame<Bytes> {
        Frame::data(match self.kind {
            Kind::Binary => bytes,
            Kind::Text => BASE64_STANDARD.encode(&bytes).into(),
        })
    }

    fn end(&mut self, trailers: &HeaderMap) -> Frame<Bytes> {
        self.is_done = true;
        self.write(frame(trailers))
    }
}

impl http_body::Body for Shown {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else { return Poll::Ready(None) };
        Poll::Ready(Some(Ok(match frame.map(Frame::into_data) {
            Ok(Ok(data)) => self.write(data),
            Ok(Err(frame)) => self.end(frame.trailers_ref().unwrap_or(&HeaderMap::new())),
            // There is still a place to say so.
            Err(status) => {
                let mut trailers = HeaderMap::new();
                status.add_header(&mut trailers)?;
                self.end(&trailers)
            }
        })))
    }
}

/// A block of HTTP/1's headers, behind the prefix of a message.
///
/// Binary values stay in base64, against the letter of the protocol for text: clients read them so.
fn frame(trailers: &HeaderMap) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in trailers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            block.extend_from_slice(part);
        }
    }
    let mut frame = BytesMut::with_capacity(5 + block.len());
    frame.put_u8(TRAILERS);
    // Trailers are bounded as headers are, far below what four bytes can say.
    frame.put_u32(u32::try_from(block.len()).unwrap_or_default());
    frame.extend_from_slice(&block);
    frame.freeze()
}
