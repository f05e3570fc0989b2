//! Messages out of gzip.
//!
//! A thousandth of a message may be all that comes of it, so how long it is becomes known only as it is unpacked: step by
//! step, and each step asks for room before it is made.

use std::{
    io::Read,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use crm_server::framing::{self, Expected, Framing, PREFIX_BYTES};
use flate2::read::MultiGzDecoder;
use http::{Request, header};
use http_body::{Body as _, Frame};
use tonic::{Status, body::Body};

use super::encoding;

/// What is unpacked at a time.
const STEP_BYTES: usize = 32 * 1024;
/// Steps after which other calls have their turn.
const STEPS_IN_A_ROW: usize = 8;

/// A message on its way out of gzip.
struct Inflating<'a> {
    packed: MultiGzDecoder<&'a [u8]>,
    /// With room for a prefix.
    plain: Vec<u8>,
    most_bytes: usize,
}

impl<'a> Inflating<'a> {
    fn new(packed: &'a [u8], most_bytes: usize) -> Self {
        Self { packed: MultiGzDecoder::new(packed), plain: vec![0; PREFIX_BYTES], most_bytes }
    }

    /// Unpacks a step more, after `make_room` for so many bytes in all; says whether there was any.
    fn step(&mut self, make_room: &mut impl FnMut(usize) -> Result<(), Status>) -> Result<bool, Status> {
        let begun = self.plain.len();
        if begun == self.plain.capacity() {
            // One byte beyond the limit shows that there is more.
            let wanted = (begun * 2).max(STEP_BYTES).min(PREFIX_BYTES + self.most_bytes + 1);
            make_room(wanted)?;
            self.plain.reserve_exact(wanted - begun);
        }
        self.plain.resize(self.plain.capacity().min(begun + STEP_BYTES), 0);
        let read = self.packed.read(&mut self.plain[begun..]);
        let read = read.map_err(|_| framing::wrong_packing("a message is packed, and not with gzip"))?;
        self.plain.truncate(begun + read);
        if self.plain.len() > PREFIX_BYTES + self.most_bytes {
            return Err(framing::too_large(self.most_bytes).into());
        }
        Ok(read > 0)
    }

    /// The message with its prefix, as if it had never been packed.
    fn finish(mut self) -> Result<Bytes, Status> {
        let length = u32::try_from(self.plain.len() - PREFIX_BYTES);
        let length = length.map_err(|_| framing::too_large(self.most_bytes))?;
        self.plain[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        Ok(self.plain.into())
    }
}

/// Unpacks a message and puts a prefix before it. `make_room` is asked for so many bytes in all, ever more of them.
pub(crate) async fn inflate(
    packed: &[u8],
    most_bytes: usize,
    mut make_room: impl FnMut(usize) -> Result<(), Status>,
) -> Result<Bytes, Status> {
    let mut inflating = Inflating::new(packed, most_bytes);
    let mut steps = 0;
    while inflating.step(&mut make_room)? {
        steps += 1;
        if steps % STEPS_IN_A_ROW == 0 {
            tokio::task::yield_now().await;
        }
    }
    inflating.finish()
}

/// A request of small messages whose reader understands no gzip.
pub(crate) fn unpack(mut request: Request<Body>, most_bytes: usize) -> Result<Request<Body>, Status> {
    let is_packed = encoding::is_packed(request.headers())?;
    request.headers_mut().remove(encoding::ENCODING);
    if !is_packed {
        return Ok(request);
    }
    request.headers_mut().remove(header::CONTENT_LENGTH);
    let framing = Framing::new(Expected { one: false, packed: true, most_bytes });
    Ok(request.map(|body| Body::new(Unpacked { body, framing, came: BytesMut::new(), most_bytes, is_over: false })))
}

/// Messages that come packed, or not, and go on as they were before.
struct Unpacked {
    body: Body,
    framing: Framing,
    came: BytesMut,
    most_bytes: usize,
    is_over: bool,
}

impl Unpacked {
    /// The first message that has come whole.
    fn take(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(&[flag, a, b, c, d]) = self.came.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let whole = PREFIX_BYTES + usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if self.came.len() < whole {
            return Ok(None);
        }
        let message = self.came.split_to(whole).freeze();
        if flag == 0 {
            return Ok(Some(message));
        }
        let mut inflating = Inflating::new(&message[PREFIX_BYTES..], self.most_bytes);
        while inflating.step(&mut |_| Ok(()))? {}
        inflating.finish().map(Some)
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        loop {
            if let Some(message) = self.take()? {
                return Poll::Ready(Ok(Some(message)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)?) {
                // Requests have no trailers.
                Some(frame) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.framing.push(&data)?;
                    self.came.extend_from_slice(&data);
                }
                None => return Poll::Ready(self.framing.end().map(|()| None).map_err(Status::from)),
            }
        }
    }
}

impl http_body::Body for Unpacked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let message = ready!(self.poll_message(cx)).transpose();
        self.is_over = !matches!(message, Some(Ok(_)));
        Poll::Ready(message.map(|message| message.map(Frame::data)))
    }
}
